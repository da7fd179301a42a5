/* replay.c: drives a fuzz target without libFuzzer, so that its corpus is
 * part of every test run: each file given (or in a directory given) as it is,
 * then MUTATIONS seeded random changes of them, or as many as SECONDS of CPU
 * allow. The seed is printed; the same seed makes the same inputs in the same
 * order. With no corpus it mutates the empty input. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define FILES_MAX 4096
#define INPUT_MAX 65536
#define MUTATIONS 20000
#define SECONDS   10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t *p;
	size_t n;
};

static struct input inputs[FILES_MAX];
static size_t ninputs;
static uint64_t state;

static uint64_t
next(void)   /* splitmix64 */
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t
below(size_t n)
{
	return n == 0 ? 0 : (size_t)(next() % n);
}

/* A copy on the heap of exactly this size, so that ASan sees one byte more. */
static void
run(const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n == 0 ? 1 : n);

	if (exact == NULL)
		abort();
	if (n > 0)
		memcpy(exact, p, n);
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

static void
load_file(const char *path)
{
	static uint8_t b[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	struct input *in = &inputs[ninputs];

	if (f == NULL || ninputs == FILES_MAX) {
		(void)fprintf(stderr, "%s: cannot read, or too many\n", path);
		exit(2);
	}
	in->n = fread(b, 1, sizeof(b), f);
	(void)fclose(f);
	in->p = malloc(in->n + 1);
	if (in->p == NULL)
		abort();
	memcpy(in->p, b, in->n);
	ninputs++;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
load(const char *path)
{
	struct dirent **list;
	struct stat st;
	int n;

	if (stat(path, &st) != 0)
		return;   /* a target without a corpus yet */
	if (!S_ISDIR(st.st_mode)) {
		load_file(path);
		return;
	}
	n = scandir(path, &list, NULL, by_name);
	for (int i = 0; i < n; i++) {
		char file[4096];

		(void)snprintf(file, sizeof(file), "%s/%s", path,
		    list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			load_file(file);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static size_t
mutate(uint8_t *b, size_t n)
{
	static const char hot[] = "\0\n\r\t \"'\\<>&={}[]:,.-+%/\x7f\x80\xff"
	    "019";
	size_t at = below(n + 1), len;

	switch (below(6)) {
	case 0:   /* flip a bit */
		if (n > 0)
			b[below(n)] ^= (uint8_t)(1U << below(8));
		return n;
	case 1:   /* cut out */
		len = below(n - at + 1);
		memmove(b + at, b + at + len, n - at - len);
		return n - len;
	case 2:   /* insert something that parsers care about */
		if (n == INPUT_MAX)
			return n;
		memmove(b + at + 1, b + at, n - at);
		b[at] = (uint8_t)hot[below(sizeof(hot) - 1)];
		return n + 1;
	case 3:   /* overwrite */
		if (n > 0)
			b[below(n)] = (uint8_t)next();
		return n;
	case 4:   /* repeat a piece */
		len = below(n - at + 1);
		if (len > INPUT_MAX - n)
			len = INPUT_MAX - n;
		memmove(b + at + len, b + at, n - at);
		return n + len;
	default:   /* go on with another input */
		if (ninputs > 0) {
			const struct input *o = &inputs[below(ninputs)];
			size_t from = below(o->n + 1);

			len = o->n - from;
			if (len > INPUT_MAX - at)
				len = INPUT_MAX - at;
			memcpy(b + at, o->p + from, len);
			return at + len;
		}
		return n;
	}
}

static int
mutations(void)
{
	static uint8_t b[INPUT_MAX];
	int i;

	for (i = 0; i < MUTATIONS; i++) {
		size_t n = 0;

		if (ninputs > 0) {
			const struct input *in = &inputs[below(ninputs)];

			n = in->n;
			memcpy(b, in->p, n);
		}
		for (size_t k = 1 + below(6); k > 0; k--)
			n = mutate(b, n);
		run(b, n);
		if (clock() > SECONDS * (clock_t)CLOCKS_PER_SEC)
			break;
	}
	return i;
}

int
main(int argc, char **argv)
{
	const char *seed = getenv("FUZZ_SEED");
	uint64_t first = seed == NULL ? 1 : strtoull(seed, NULL, 10);

	state = first;
	for (int i = 1; i < argc; i++)
		load(argv[i]);
	(void)printf("%zu inputs, FUZZ_SEED=%llu\n", ninputs,
	    (unsigned long long)first);
	(void)fflush(stdout);
	run((const uint8_t *)"", 0);
	for (size_t i = 0; i < ninputs; i++)
		run(inputs[i].p, inputs[i].n);
	(void)printf("%d mutations\n", mutations());
	for (size_t i = 0; i < ninputs; i++)
		free(inputs[i].p);
	return 0;
}
