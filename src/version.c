/* version.c: what this binary is made of. */
#include "main.h"

#include <stdio.h>
#include <string.h>

#include <ares.h>
#include <curl/curl.h>
#include <jansson.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <uv.h>
#include <yaml.h>

static void
libs_print(void)
{
	(void)printf("libuv %s\n", uv_version_string());
	(void)printf("libcurl %s\n", curl_version_info(CURLVERSION_NOW)->version);
	(void)printf("c-ares %s\n", ares_version(NULL));
	(void)printf("openssl %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
	(void)printf("libmicrohttpd %s\n", MHD_get_version());
	(void)printf("jansson %s\n", jansson_version_str());
	(void)printf("libyaml %s\n", yaml_get_version_string());
	(void)printf("sqlite %s\n", sqlite3_libversion());
	(void)printf("compiler %s\n", __VERSION__);
}

int
version_main(int argc, char **argv)
{
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--libs") != 0)) {
		(void)fprintf(stderr, "usage: vedette version [--libs]\n");
		return 2;
	}
	(void)printf("vedette %s\n", VEDETTE_VERSION);
	if (argc == 2)
		libs_print();
	return 0;
}
