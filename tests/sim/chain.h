/* chain.h: the rest of the way in the simulated world: rows that the real
 * routes made and the store committed, the real desk, providers that fail,
 * windows, parents and people. Checked at every step and at the end.
 *
 *   sim_chain.c     the outbox as stored, the courier, death and return
 *   sim_provider.c  who takes messages, or does not
 *   sim_proof.c     what must be true of what leaves and of what arrives
 *   sim_seeds.c     "sim weeks": weeks of it */
#ifndef TESTS_SIM_CHAIN_H
#define TESTS_SIM_CHAIN_H

#include "alert/desk.h"
#include "base/map.h"
#include "route/window.h"
#include "tests/sim/sim.h"

#define CHANNELS 4
extern const char *const chain_channels[CHANNELS];

/* A row of the outbox, and what its provider saw of it. */
struct kept {
	struct map_node by_key, by_incident;   /* and channel */
	struct outbox_row row;
	uint64_t seq;             /* in the order of commits, from 1 */
	int64_t committed_ns, stepped_ns;   /* chain.stepped_ns then */
	bool over, held;          /* ever held */
	bool maybe;               /* sent when a crash or silence came */
	bool waited;              /* due when one came */
	bool collapsed;           /* it arrived and told of the beginning too */
	unsigned arrived;
};

/* What one provider knows of one incident. */
struct heard {
	struct map_node node;
	uint32_t monitor;
	int64_t incident_us;
	int channel;
	unsigned opens;
	bool told, resolved;
};

/* A transition that was committed. */
struct turn {
	struct map_node node;
	uint32_t monitor;
	int64_t at_us;
	uint8_t to;
};

enum ill { ILL_NOT, ILL_5XX, ILL_LATER, ILL_HANGS, ILL_CUT, ILL_REFUSES,
	ILL_AWAY, ILL_NMAX };
struct provider {
	struct sim *sim;
	int channel;
	struct desk_message *flight;
	struct timer answer;
	enum ill ill, now_ill;    /* since when it is; of this request */
	int64_t ill_until_ns;
	char seen_key[OUTBOX_KEY];   /* of the last message it took: */
	int64_t seen_made_us;
	uint64_t last_seq;
	unsigned taken;
};

struct chain {
	struct desk *desk;
	struct desk_conf conf;
	struct settings *settings;   /* of the document, which is owned */
	struct document *doc;
	struct window **windows;
	size_t nwindows;
	struct timer turn;
	int64_t epoch_us;
	int64_t stepped_ns;          /* sum of the clock's steps, unsigned */
	struct kept **rows;
	size_t nrows;
	struct map by_key, by_incident, heard, turns;
	struct hold *holds;
	size_t nholds;
	struct channel_health healths[CHANNELS];
	struct provider providers[CHANNELS];
	uint64_t sent, again, opens, resolves, reminders, escalations, twice,
	    collapsed, held;
};

/* -- sim_chain.c ------------------------------------------------------------ */
void chain_begin(struct sim *s);       /* s->chain; after sim_new */
void chain_free(struct sim *s);
struct command *chain_routes(struct sim *s) MUST_USE;
void chain_durable(struct sim *s, const struct unit *u);
void chain_lost(struct sim *s, const struct unit *u);
void chain_crash(struct sim *s);       /* before the units are lost */
void chain_boot(struct sim *s);
void chain_gone(struct sim *s, uint32_t monitor);
void chain_people(struct sim *s);      /* somebody acknowledges, snoozes … */
void chain_kick(struct sim *s);        /* the courier turns soon */
void chain_book(struct sim *s);        /* what the desk wants stored */
int64_t chain_now(struct sim *s);      /* wall clock µs; notices steps */
struct kept *chain_find(const struct chain *c, const char *key);
/* Of an incident for a channel: where they are in by_incident. */
uint64_t chain_hash(const struct alert_event *e, const char *channel);
const struct hold *chain_hold_of(const struct chain *c,
    const struct alert_event *e);
/* For the desk, and said again by the checkers. */
bool chain_muted(void *arg, uint32_t monitor, int64_t failed_us,
    int64_t now_us, int64_t *ret_until_us, char note[OUTBOX_NOTE]);

/* -- sim_provider.c --------------------------------------------------------- */
void provider_deliver(struct sim *s, struct desk_message *m);
void provider_crash(struct provider *p);
void provider_trouble(struct sim *s);
void provider_heal(struct sim *s);

/* -- sim_proof.c ------------------------------------------------------------ */
void proof_turn(struct sim *s, const struct transition *t);
void proof_leaves(struct sim *s, int channel, const struct desk_message *m);
void proof_arrives(struct sim *s, struct provider *p,
    const struct desk_message *m);
void proof_end(struct sim *s);
void proof_free(struct chain *c);

#endif
