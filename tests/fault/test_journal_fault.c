/* The journal on a disk that fails. Every call fails once, or from then on,
 * or the power goes at it. Afterwards: what was said to be durable is read
 * back, in order, once, and nothing that was never written. */
#include "tests/unit/store_rig.h"

#include "store/journal.h"
#include "tests/fault/filesys_fault.h"

#define DIR_NAME "/j"
#define RECORDS  60
#define SEEDS    6

struct run {
	struct journal_conf conf;
	uint64_t durable;        /* numbers up to here were promised */
	uint64_t committed;
	bool power;
	unsigned long broken;
	const char *what;
	/* reading back */
	uint64_t expect;
	unsigned long got;
};

static void
broken(struct run *x, const char *what)
{
	x->broken++;
	x->what = what;
}

/* A record of its own length and bytes. */
static struct str
bytes_of(uint64_t seq, char *dst)
{
	size_t n = 20 + seq * 37 % 700;

	memset(dst, (int)('a' + seq % 26), n);
	return (struct str){dst, n};
}

/* Three at a time, the numbers of a batch that failed are given to the same
 * records again. A few tries, then it is given up. */
static void
append(struct run *x, struct journal *j)
{
	char text[3][800];
	int tries = 0;

	while (x->durable < RECORDS && tries < 4) {
		struct journal_record v[3];
		struct journal_batch b = {.v = v, .n = 3, .may_reserve = true};

		for (unsigned i = 0; i < 3; i++)
			v[i] = (struct journal_record){x->durable + 1 + i,
			    bytes_of(x->durable + 1 + i, text[i])};
		if (journal_append(j, &b, NULL) != ERR_OK)
			tries++;
		x->durable += b.durable;
		if (x->durable == 30) {
			x->committed = 21;
			journal_committed(j, 21);
			if (journal_trim(j, NULL) != ERR_OK)
				tries++;
		}
	}
}

static bool
each(void *arg, const struct journal_record *r)
{
	struct run *x = arg;
	char text[800];

	if (r->seq != x->expect)
		broken(x, r->seq < x->expect ? "a record twice" :
		    "a record is missing");
	if (!str_eq(r->bytes, bytes_of(r->seq, text)))
		broken(x, "a record is another's");
	x->expect = r->seq + 1;
	x->got++;
	return true;
}

/* In two halves: stopping and going on is reading, too. */
static bool
each_some(void *arg, const struct journal_record *r)
{
	return r->seq % 7 != 0 && each(arg, r);
}

static void
look(struct run *x)
{
	struct journal_found f;
	struct journal *j = NULL;

	if (journal_open(&x->conf, &j, &f, NULL) != ERR_OK) {
		broken(x, "does not open again");
		return;
	}
	if (f.damaged > 0 || f.foreign > 0)
		broken(x, "whole records taken for damage");
	x->expect = x->committed + 1;
	if (journal_read(j, x->committed, each_some, x, NULL) != ERR_OK ||
	    journal_read(j, x->expect - 1, each, x, NULL) != ERR_OK)
		broken(x, "cannot be read");
	if (x->expect <= x->durable)
		broken(x, "a durable record is gone");
	journal_close(j);
}

static void
workload(struct run *x)
{
	struct journal_found f;
	struct journal *j = NULL;

	x->durable = x->committed = 0;
	if (journal_open(&x->conf, &j, &f, NULL) != ERR_OK)
		return;
	while (journal_trim(j, NULL) == ERR_AGAIN)
		;
	append(x, j);
	journal_close(j);
}

static void
begin(struct run *x)
{
	memset(x, 0, sizeof(*x));
	x->conf = (struct journal_conf){.dir = DIR_NAME, .fs = &filesys_fault,
	    .id = 7, .size = 12 * 4096, .reserve = 2 * 4096, .segment = 4096};
}

static long
clean_run(struct run *x)
{
	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	workload(x);
	assert_int_equal(x->durable, RECORDS);
	return vfs_fault_calls();
}

static void
sweep(enum vfs_fault_mode mode, const char *name, int seeds)
{
	struct run x;
	long total;

	begin(&x);
	total = clean_run(&x);
	look(&x);
	assert_int_equal(x.broken, 0);
	assert_int_equal(x.got, RECORDS - x.committed);
	for (int seed = 1; seed <= seeds; seed++)
		for (long n = 1; n <= total; n++) {
			vfs_fault_wipe();
			vfs_fault_arm(mode, n, (uint64_t)seed);
			workload(&x);
			/* Whatever failed, the power goes in the end. */
			vfs_fault_reboot();
			vfs_fault_arm(VFS_SOUND, 0, 1);
			look(&x);
			if (x.broken > 0)
				fail_msg("%s at call %ld of %ld, seed %d: %s",
				    name, n, total, seed, x.what);
		}
	printf("journal, %s: %ld calls, %d seeds\n", name, total, seeds);
	vfs_fault_wipe();
}

static void
test_power_loss(void **state)
{
	(void)state;
	sweep(VFS_POWER, "power loss", SEEDS);
}

static void
test_fails_once(void **state)
{
	(void)state;
	sweep(VFS_FAIL_ONCE, "fails once", SEEDS);
}

static void
test_fails_for_good(void **state)
{
	(void)state;
	sweep(VFS_FAIL_ON, "fails for good", SEEDS);
}

/* A disk that is full from the beginning on: what the reserve holds is taken,
 * then it says so; nothing that it took is lost. */
static void
test_full(void **state)
{
	struct run x;
	struct journal_found f;
	struct journal *j = NULL;
	struct journal_record r = {1, STR("mere")};
	struct journal_batch b = {.v = &r, .n = 1};

	(void)state;
	begin(&x);
	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	assert_int_equal(journal_open(&x.conf, &j, &f, NULL), ERR_OK);
	while (journal_trim(j, NULL) == ERR_AGAIN)
		;
	assert_int_equal(journal_stats(j)->reserve, 2 * 4096);
	vfs_fault_full(true);
	assert_int_equal(journal_append(j, &b, NULL), ERR_LIMIT);
	assert_int_equal(b.durable, 0);
	append(&x, j);
	assert_true(x.durable > 8 && x.durable < RECORDS);
	assert_int_equal(journal_stats(j)->reserve, 0);
	journal_close(j);
	look(&x);
	assert_int_equal(x.broken, 0);
	vfs_fault_wipe();
}

/* In use the reserve is not set aside once more, room or not; it comes back
 * when its records are committed. */
static void
test_reserve_in_use(void **state)
{
	struct run x;
	struct journal_found f;
	struct journal *j = NULL;

	(void)state;
	begin(&x);
	vfs_fault_wipe();
	vfs_fault_arm(VFS_SOUND, 0, 1);
	assert_int_equal(journal_open(&x.conf, &j, &f, NULL), ERR_OK);
	while (journal_trim(j, NULL) == ERR_AGAIN)
		;
	vfs_fault_full(true);
	append(&x, j);
	vfs_fault_full(false);
	while (journal_trim(j, NULL) == ERR_AGAIN)
		;
	assert_int_equal(journal_stats(j)->reserve, 0);
	journal_committed(j, atomic_load(&journal_stats(j)->last));
	while (journal_trim(j, NULL) == ERR_AGAIN)
		;
	assert_int_equal(journal_stats(j)->reserve, 2 * 4096);
	journal_close(j);
	vfs_fault_wipe();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_loss),
		cmocka_unit_test(test_fails_once),
		cmocka_unit_test(test_fails_for_good),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_reserve_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
