#include "model/link.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"

#define BODY 20   /* monitor, incident, expiry in seconds */
#define SIGN 16

static void
put(unsigned char *p, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (unsigned char)(v >> (8 * (n - 1 - i)) & 0xff);
}

static uint64_t
get(const unsigned char *p, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void
sign(const unsigned char key[LINK_KEY], const unsigned char body[BODY],
    unsigned char ret[SIGN])
{
	/* What else may ever be signed with this key is told apart by this. */
	static const unsigned char purpose[] = "vedette ack 1";
	unsigned char text[sizeof(purpose) + BODY], mac[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	memcpy(text, purpose, sizeof(purpose));
	memcpy(text + sizeof(purpose), body, BODY);
	(void)HMAC(EVP_sha256(), key, LINK_KEY, text, sizeof(text), mac, &n);
	assert(n >= SIGN);
	memcpy(ret, mac, SIGN);
}

void
link_make(const unsigned char key[LINK_KEY], const struct link *l,
    char ret[LINK_TEXT])
{
	unsigned char b[BODY + SIGN];

	put(b, l->monitor, 4);
	put(b + 4, (uint64_t)l->incident_us, 8);
	put(b + 12, (uint64_t)(l->expires_us / 1000000), 8);
	sign(key, b, b + BODY);
	text_hex(ret, LINK_TEXT, b, sizeof(b));
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
link_open(const unsigned char key[LINK_KEY], struct str text,
    struct link *ret)
{
	unsigned char b[BODY + SIGN], good[SIGN];

	if (text.n != LINK_TEXT - 1)
		return false;
	for (size_t i = 0; i < sizeof(b); i++) {
		int hi = digit(text.p[2 * i]), lo = digit(text.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		b[i] = (unsigned char)(hi << 4 | lo);
	}
	sign(key, b, good);
	if (!str_eq_secret((struct str){(const char *)good, SIGN},
	    (struct str){(const char *)b + BODY, SIGN}))
		return false;
	ret->monitor = (uint32_t)get(b, 4);
	ret->incident_us = (int64_t)get(b + 4, 8);
	ret->expires_us = (int64_t)get(b + 12, 8) * 1000000;
	return true;
}
