#include "route/flap.h"

#include "model/alerting.h"

#define NEWEST 1150
#define OLDEST 800

uint32_t
flap_share(uint32_t flap)
{
	uint32_t sum = 0;

	for (uint32_t age = 0; age < FLAP_STATES; age++)
		if ((flap >> age & 1) != 0)
			sum += NEWEST -
			    (NEWEST - OLDEST) * age / (FLAP_STATES - 1);
	return sum / FLAP_STATES;
}
