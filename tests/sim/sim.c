/* sim.c: "sim seeds FROM COUNT" and "sim scenario FILE…". */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

#include "base/role.h"

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sim seeds FROM COUNT | "
	    "sim scenario FILE…\n");
	return 2;
}

int
main(int argc, char **argv)
{
	uint64_t from, count;
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
	else
		rc = usage();
	role_leave(&shard_role);
	return rc;
}
