/* main.h: the commands that are not clients, and the version. Each takes its
 * own name as argv[0] and returns the exit code. */
#ifndef MAIN_H
#define MAIN_H

#ifndef VEDETTE_VERSION   /* the build names it; this is for a bare compiler */
#define VEDETTE_VERSION "0.1.0"
#endif

int serve_main(int argc, char **argv);   /* serve.c: the daemon */
int probe_main(int argc, char **argv);   /* probe.c: one check, now */
/* store_cmd.c: "store": of the daemon, or of its files when there is none */
struct cli_args;
struct cli_env;
int store_main(const struct cli_env *env, const struct cli_args *a);
int version_main(int argc, char **argv); /* version.c */
struct cli_env;
struct cli_args;
/* preview.c: what a channel would be sent */
int preview_run(const struct cli_env *env, const struct cli_args *a);

#endif
