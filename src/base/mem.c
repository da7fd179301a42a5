#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		abort();
	return p;
}

void *
xrealloc(void *p, size_t n, size_t size)
{
	/* Size 0 would free p and return NULL. */
	if (n == 0 || size == 0)
		n = size = 1;
	p = reallocarray(p, n, size);
	if (p == NULL)
		abort();
	return p;
}

char *
xstrdup(const char *s)
{
	char *copy = strdup(s);

	if (copy == NULL)
		abort();
	return copy;
}

char *
xstrndup(const char *p, size_t n)
{
	/* Not strndup: ASan's strict checks want what it reads terminated,
	 * and a struct str is not. */
	size_t len = strnlen(p, n);
	char *s = malloc(len + 1);

	if (s == NULL)
		abort();
	memcpy(s, p, len);
	s[len] = '\0';
	return s;
}

void
xfree(void *p)
{
	free(p);
}

void
xfreep(void *pp)
{
	void *p;

	memcpy(&p, pp, sizeof(p));
	free(p);
}
