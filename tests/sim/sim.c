/* sim.c: "sim seeds FROM COUNT", "sim scenario FILE…", "sim loss SEED
 * MONITORS DAYS" and "sim weeks FROM COUNT DAYS". */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

#include "base/role.h"

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sim seeds FROM COUNT | "
	    "sim scenario FILE… | sim loss SEED MONITORS DAYS | "
	    "sim weeks FROM COUNT DAYS\n");
	return 2;
}

int
main(int argc, char **argv)
{
	uint64_t from, count, days;
	int rc;

	if (argc < 3)
		return usage();
	role_enter(&shard_role);
	if (strcmp(argv[1], "scenario") == 0)
		rc = scene_main(argc - 2, argv + 2);
	else if (strcmp(argv[1], "seeds") == 0 && argc == 4 &&
	    str_u64(str_of(argv[2]), UINT32_MAX, &from) &&
	    str_u64(str_of(argv[3]), UINT32_MAX, &count))
		rc = seeds_main(from, count);
	else if (strcmp(argv[1], "loss") == 0 && argc == 5 &&
	    str_u64(str_of(argv[2]), UINT32_MAX, &from) &&
	    str_u64(str_of(argv[3]), 10000, &count) && count > 0 &&
	    str_u64(str_of(argv[4]), 3650, &days) && days > 0)
		rc = loss_main(from, count, days);
	else if (strcmp(argv[1], "weeks") == 0 && argc == 5 &&
	    str_u64(str_of(argv[2]), UINT32_MAX, &from) &&
	    str_u64(str_of(argv[3]), UINT32_MAX, &count) &&
	    str_u64(str_of(argv[4]), 3650, &days) && days > 0)
		rc = weeks_main(from, count, days);
	else
		rc = usage();
	role_leave(&shard_role);
	return rc;
}
