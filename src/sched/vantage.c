#define OWNS_OFF
#include "sched/vantage.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "base/mem.h"

/* What is known of a host since this epoch began. */
enum word { WORD_NONE, WORD_FAILED, WORD_PASSED };
struct place {
	uint32_t epoch;
	uint8_t word;          /* enum word */
};

struct vantage {
	pthread_mutex_t mu;
	_Atomic int sight;     /* enum sight; written under mu */
	atomic_bool outside;
	bool armed, contradicted, went, returned;
	uint32_t epoch, failed, passed;   /* hosts, in this epoch */
	int64_t epoch_ns;      /* its first failure */
	int64_t seen_ns;       /* a beacon answered last */
	int64_t lost_ns;       /* LOST: asked then, and since when: */
	int64_t from_ns, until_ns;
	struct place hosts[VANTAGE_HOSTS];
	void (*wake)(void *arg);
	void *arg;
};

struct vantage *
vantage_new(void (*wake)(void *arg), void *arg)
{
	struct vantage *v = xcalloc(1, sizeof(*v));

	(void)pthread_mutex_init(&v->mu, NULL);
	v->epoch = 1;
	v->epoch_ns = v->seen_ns = v->until_ns = INT64_MIN / 2;
	v->wake = wake;
	v->arg = arg;
	return v;
}

void
vantage_free(struct vantage *v)
{
	if (v == NULL)
		return;
	(void)pthread_mutex_destroy(&v->mu);
	xfree(v);
}

/* Everybody hears of it after the lock is given back. */
static void
leave(struct vantage *v, bool wake)
{
	pthread_mutex_unlock(&v->mu);
	if (wake && v->wake != NULL)
		v->wake(v->arg);
}

static void
set(struct vantage *v, enum sight to)
{
	atomic_store_explicit(&v->sight, to, memory_order_release);
}

enum sight
vantage_sight(const struct vantage *v)
{
	return (enum sight)atomic_load_explicit(&v->sight,
	    memory_order_acquire);
}

bool
vantage_outside(const struct vantage *v)
{
	return atomic_load_explicit(&v->outside, memory_order_relaxed);
}

static bool
first_outside(struct vantage *v)
{
	return !vantage_outside(v) && !atomic_exchange(&v->outside, true);
}

/* A host's word; what it said before in this epoch. */
static enum word
note(struct vantage *v, uint64_t host, enum word word)
{
	struct place *p = &v->hosts[(host ^ host >> 32) % VANTAGE_HOSTS];
	enum word was = p->epoch == v->epoch ? (enum word)p->word : WORD_NONE;

	p->epoch = v->epoch;
	p->word = (uint8_t)word;
	v->failed += (word == WORD_FAILED) - (was == WORD_FAILED);
	v->passed += (word == WORD_PASSED) - (was == WORD_PASSED);
	return was;
}

static void
new_epoch(struct vantage *v, int64_t now_ns)
{
	v->epoch++;
	v->failed = v->passed = 0;
	v->epoch_ns = now_ns;
}

enum sight
vantage_failed(struct vantage *v, uint64_t host, int64_t began_ns,
    int64_t now_ns, bool strong)
{
	bool wake = first_outside(v), cluster;
	enum sight s;

	pthread_mutex_lock(&v->mu);
	if (vantage_sight(v) == SIGHT_CLEAR && began_ns < v->until_ns) {
		leave(v, wake);
		return SIGHT_LOST;
	}
	if (vantage_sight(v) == SIGHT_CLEAR &&
	    now_ns - v->epoch_ns > VANTAGE_WINDOW_NS)
		new_epoch(v, now_ns);
	(void)note(v, host, WORD_FAILED);
	cluster = v->failed >= VANTAGE_CLUSTER && v->failed >= v->passed;
	if (vantage_sight(v) == SIGHT_CLEAR && v->armed &&
	    (strong || cluster) && now_ns - v->seen_ns >= VANTAGE_FRESH_NS) {
		set(v, SIGHT_PENDING);
		wake = true;
	}
	s = vantage_sight(v);
	leave(v, wake);
	return s;
}

static void
found(struct vantage *v, int64_t now_ns)
{
	set(v, SIGHT_CLEAR);
	v->returned = true;
	v->until_ns = now_ns;
	log_info("sched", "sight is back");
	new_epoch(v, now_ns);
}

void
vantage_passed(struct vantage *v, uint64_t host, int64_t began_ns,
    int64_t now_ns)
{
	bool wake = first_outside(v);
	enum word was;

	pthread_mutex_lock(&v->mu);
	was = note(v, host, WORD_PASSED);
	/* What began before sight was lost may have seen its last. */
	if (vantage_sight(v) == SIGHT_LOST && began_ns > v->lost_ns &&
	    (was == WORD_FAILED || v->passed >= v->failed)) {
		v->contradicted = true;
		v->armed = false;
		found(v, now_ns);
		wake = true;
	}
	leave(v, wake);
}

void
vantage_arm(struct vantage *v, bool on)
{
	pthread_mutex_lock(&v->mu);
	v->armed = on;
	pthread_mutex_unlock(&v->mu);
}

/* Since when: the first host that failed, but not before we saw for sure. */
static void
lose(struct vantage *v, int64_t now_ns)
{
	set(v, SIGHT_LOST);
	v->went = true;
	v->from_ns = MAX(v->epoch_ns, v->seen_ns);
	v->lost_ns = now_ns;
	/* What answered before this was still seen. */
	v->passed = 0;
	for (unsigned i = 0; i < VANTAGE_HOSTS; i++)
		if (v->hosts[i].word == WORD_PASSED)
			v->hosts[i].word = WORD_NONE;
	log_warn("sched", "sight is lost: no beacon answers");
}

void
vantage_round(struct vantage *v, enum vantage_round how, int64_t now_ns)
{
	enum sight was;

	pthread_mutex_lock(&v->mu);
	was = vantage_sight(v);
	if (how == ROUND_SEEN)
		v->seen_ns = now_ns;
	switch (was) {
	case SIGHT_CLEAR:
		break;
	case SIGHT_PENDING:
		if (how == ROUND_BLIND)
			lose(v, now_ns);
		else
			set(v, SIGHT_CLEAR);
		break;
	case SIGHT_LOST:
		if (how == ROUND_SEEN)
			found(v, now_ns);
		break;
	}
	leave(v, was != vantage_sight(v));
}

void
vantage_resume(struct vantage *v, int64_t from_ns, int64_t now_ns)
{
	pthread_mutex_lock(&v->mu);
	set(v, SIGHT_LOST);
	v->from_ns = from_ns;
	v->lost_ns = now_ns;
	pthread_mutex_unlock(&v->mu);
	log_warn("sched", "sight was lost before the start: nobody is called"
	    " down until a beacon or a host answers");
}

bool
vantage_lost(struct vantage *v, int64_t *ret_from_ns)
{
	bool yes;

	pthread_mutex_lock(&v->mu);
	yes = v->went;
	v->went = false;
	*ret_from_ns = v->from_ns;
	pthread_mutex_unlock(&v->mu);
	return yes;
}

bool
vantage_contradicted(struct vantage *v)
{
	bool yes;

	pthread_mutex_lock(&v->mu);
	yes = v->contradicted;
	v->contradicted = false;
	pthread_mutex_unlock(&v->mu);
	return yes;
}

bool
vantage_returned(struct vantage *v, int64_t *ret_from_ns,
    int64_t *ret_until_ns)
{
	bool yes;

	pthread_mutex_lock(&v->mu);
	yes = v->returned;
	v->returned = false;
	*ret_from_ns = v->from_ns;
	*ret_until_ns = v->until_ns;
	pthread_mutex_unlock(&v->mu);
	return yes;
}

void
vantage_check(struct vantage *v)
{
	uint32_t failed = 0, passed = 0;

	pthread_mutex_lock(&v->mu);
	for (unsigned i = 0; i < VANTAGE_HOSTS; i++) {
		if (v->hosts[i].epoch != v->epoch)
			continue;
		failed += v->hosts[i].word == WORD_FAILED;
		passed += v->hosts[i].word == WORD_PASSED;
	}
	assert(failed == v->failed);
	assert(passed == v->passed);
	assert(vantage_sight(v) != SIGHT_LOST || v->from_ns <= v->lost_ns);
	pthread_mutex_unlock(&v->mu);
}
