#!/bin/sh
# mutants.sh [--brief | NAME...]: does the test suite notice? The code is broken in one
# known way after another, in a copy of the tree, and each time one named test
# must fail. Prints a line per mutant; exit 1 when one escapes, when a patch
# does not apply any more, or when the unbroken code fails. All of it reuses
# build-mutants, so that a second run compiles only what changed.
#
# --brief, as in "make test": one row for each of the oldest promises, so that
# the whole suite stays within its time; "make mutants" runs every row.
#
# To add one: a row below. NAME | FILE | sed script | TARGET | test command,
# run in the build directory.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."
root=$PWD
work=$root/build-mutants
tree=$work/tree
out=$work/out
seeds="tests/sim seeds 1 40"
scene="tests/sim scenario ../tree/tests/sim/scenarios"
loss="tests/sim loss 1 20 2"
weeks="tests/sim weeks 1 6 21"

table() {
	cat <<END
late_answer_accepted|src/sched/run.c|s/late > SCHED_LATE_NS/late > 1000 * SCHED_LATE_NS/|sim|$seeds
slot_leaked|src/sched/run.c|s/queue_give(m->sched, host);/(void)host;/|sim|$seeds
stall_not_voided|src/sched/time.c|s/s->stalled_ns = now;//|sim|$seeds
burst_after_stall|src/sched/time.c|s/m->beat_ns = time_on_phase(m, now);//|test_sched_rules|tests/test_sched_rules
phase_not_hashed|src/sched/time.c|s/(map_hash_u64(id) %/(0 * map_hash_u64(id) %/|test_sched_rules|tests/test_sched_rules
streak_not_reset|src/state/state.c|s/st->voids = st->fails = 0;/st->voids = 0;/|test_state_verdict|tests/test_state_verdict
our_fault_is_down|src/state/state.c|s/if (why_is_local(why))/if (why_is_local(why) \&\& why != WHY_LOCAL_FDS)/|sim|$scene/out_of_fds.scn
retries_off_by_one|src/state/state.c|s/st->fails > p->retries/st->fails >= p->retries/|sim|$scene/outage.scn
deadline_one_interval_late|src/sched/push.c|s/now - age + m->conf->interval_ns/now - age + 2 * m->conf->interval_ns/|sim|$scene/push.scn
clock_ahead_believed|src/store/trust.c|s/mono_ns - t->doubted_ns < TRUST_HOLD_NS/false/|test_store_retention|tests/test_store_retention
refused_heartbeat_is_missed|src/sched/push.c|/^push_unheard/,/^}/s/m->st.deadline_us == 0/true/|test_sched_commands|tests/test_sched_commands
gap_of_a_restart_ignored|src/sched/push.c|/^push_restored/,/^}/s/push_gap(m);/(void)m;/|sim|$scene/push_restart_early.scn
paused_member_counts|src/state/state.c|/^state_votes_worst/,/^}/s/s < STATUS_PAUSED/s < STATUS_NMAX/|sim|$scene/group_paused_member.scn
host_cap_ignored|src/sched/caps.c|s/h->used + kept >= c->per_host/h->used + kept > c->per_host/|test_sched_caps|tests/test_sched_caps
transition_dropped_when_full|src/sched/shard.c|s/mbox_put_urgent(sh->conf.writer/mbox_put(sh->conf.writer/|test_sched_shard|tests/test_sched_shard
deadline_of_a_class_ignored|src/store/sqlite/guard.c|s/MAX(left_ns, INT64_C(1)))/0 * left_ns)/|test_store_guard|tests/test_store_guard
required_pragma_wished|src/store/sqlite/pragma.c|s/{"journal_mode", REQUIRED/{"journal_mode", WISHED/|test_store_guard|tests/test_store_guard
busy_checkpoint_is_success|src/store/sqlite/conn.c|s/return CKPT_BUSY;/return CKPT_DONE;/|test_store_wal|tests/test_store_wal
full_log_written_to|src/store/writer.c|s/^\tif (!wal_full(s) .*/\tif (true)/|test_store_wal|tests/test_store_wal
ack_before_commit|src/store/batch.c|s/^\(.*\)e = ops->commit(s->db, ei);/\1for (size_t i = lo; i < hi; i++) { struct ack *a = b->v[i].unit->ack; b->v[i].unit->ack = NULL; if (a != NULL) a->done(a, ERR_OK, NULL); }\n&/|test_store_fault|tests/test_store_fault test_power_loss
journal_not_synced|src/store/journal.c|s/else if (j->fs->sync(j->fd) != 0)/else if (false)/|test_journal_fault|tests/test_journal_fault
journal_names_not_synced|src/store/journal.c|/^christen/,/^}/s/return j->fs->sync_dir(j->conf.dir);/return 0;/|test_journal_fault|tests/test_journal_fault
journal_not_synced_in_the_store|src/store/journal.c|s/else if (j->fs->sync(j->fd) != 0)/else if (false)/|test_store_fault|tests/test_store_fault test_journal_power_loss
synchronous_normal|src/store/sqlite/pragma.c|s/{"synchronous", REQUIRED, "2", "2", NULL}/{"synchronous", REQUIRED, "1", "1", NULL}/|test_store_fault|tests/test_store_fault test_power_loss
journaled_is_told_twice|src/store/rescue.c|s/b->v\[i\].tell = !u->told;/b->v[i].tell = true;/|test_store_rescue|tests/test_store_rescue
journal_read_back_after_newer|src/store/writer.c|s/older = rescue_pending(s);/older = rescue_pending(s) \&\& s->queue.first == NULL;/|test_store_rescue|tests/test_store_rescue
journal_torn_end_is_damage|src/store/journal_seg.c|s/ \&\& \*ret_first) {/) {/|test_store_journal|tests/test_store_journal
reserve_set_aside_twice|src/store/journal.c|s/n += j->segs\[i\].reserve/n += 0 * j->segs[i].reserve/|test_journal_fault|tests/test_journal_fault
journal_not_in_the_budget|src/store/budget.c|s/^\t\tall += (uint64_t)st.st_blocks \* 512;/\t\tall += 0;/|test_store_budget|tests/test_store_budget
samples_go_for_the_journal|src/store/budget.c|s/MIN(f->used, f->passing)/MIN(f->used, 0 * f->passing)/|test_store_budget|tests/test_store_budget
told_is_thinned|src/store/budget.c|s/yes = u->ack .* u->told;/yes = u->ack != NULL;/|test_store_budget|tests/test_store_budget
missing_table_is_sound|src/store/sqlite/schema.c|s/if (rc == SQLITE_OK \&\& !same)/if (false)/|test_store_audit|tests/test_store_audit
damage_without_its_time|src/store/query.c|s/time_format_utc(l->from_us, from)/time_format_utc(0, from)/|test_store_latency|tests/test_store_latency
compaction_hurries_under_load|src/store/chores.c|s/s->slice_ns = end_ns + took \* REST_FACTOR;/s->slice_ns = end_ns + took;/|test_store_rollup|tests/test_store_rollup
restart_forgets_the_dark|src/sched/vantage.c|/^vantage_resume/,/^}/s/set(v, SIGHT_LOST);/set(v, SIGHT_CLEAR);/|test_sched_vantage|tests/test_sched_vantage
zone_day_begins_at_midnight|src/base/zone.c|s/MAX(shown - r.type->offset_s, r.from_s)/shown - r.type->offset_s/|test_base_zone|tests/test_base_zone
zone_rule_wrong_week|src/base/zone_rule.c|s/day >= next ? day - 7 : day/day/|test_base_zone|tests/test_base_zone
sketch_merge_shifts|src/store/sketch.c|s/count(into, i, from->count\[i\])/count(into, i + (i % 7 == 0), from->count[i])/|test_store_sketch|tests/test_store_sketch
sketch_too_coarse|src/store/sketch.c|s/(1 + SKETCH_ERROR) \/ (1 - SKETCH_ERROR)/(1 + 2 * SKETCH_ERROR) \/ (1 - 2 * SKETCH_ERROR)/|test_store_sketch|tests/test_store_sketch
rollup_mark_not_written|src/store/compact.c|s/return rollups_mark(s, c->cut, \*ret_last, ei);/return ERR_OK;/|test_store_rollup|tests/test_store_rollup
rollup_merged_chunk_twice|src/store/compact.c|s/rollups_add(s, all + nold, n - nold, ei)/rollups_add(s, all, n, ei)/|test_store_rollup|tests/test_store_rollup
latency_of_what_is_gone|src/store/latency.c|s/q->from_us >= since_us/true/|test_store_latency|tests/test_store_latency
latency_moved_twice|src/store/latency.c|s/if (a->moved \&\& block <= a->moved_block)/if (false)/|test_store_latency|tests/test_store_latency
latency_edge_hour_whole|src/store/latency.c|s/return p->from_us <= at \\&\\& at + HOUR_US <= p->to_us/return true/|test_store_latency|tests/test_store_latency
uptime_window_counted|src/store/uptime.c|s/if (in->count_windows)/if (true)/|test_store_uptime|tests/test_store_uptime
days_count_maintenance|src/store/days.c|s/us - a.maintenance_us - a.gap_us;/us - a.gap_us;/|test_store_days|tests/test_store_days
days_miss_a_window_cut|src/store/edit_window.c|s/covered_cut(s->view->covered, w->name, e->at_us, true);//|test_store_days|tests/test_store_days
uptime_gap_is_up|src/store/uptime.c|s/us = to_us - from_us - gap;/us = to_us - from_us;/|test_store_uptime|tests/test_store_uptime
uptime_series_first|src/store/uptime.c|s/one.first = (enum status)in->turns\[next\].to;/;/|test_store_uptime|tests/test_store_uptime
alert_resolve_without_open|src/alert/desk_queue.c|s/if (h.sent .*alone(r))$/if (true)/|test_alert_desk_sim|tests/test_alert_desk_sim
alert_resolve_lost_after_crash|src/alert/desk.c|s/r->maybe = r->maybe .* loaded;/;/|test_alert_desk_sim|tests/test_alert_desk_sim
alert_not_frozen|src/alert/desk_done.c|s/m->frozen = m->frozen .*part > 0;/m->frozen = false;/|test_alert_desk|tests/test_alert_desk
alert_window_ignored|src/alert/desk_queue.c|s/if (muted(d, r, now_us, \&until_us, note)) {/if (false) {/|test_alert_desk|tests/test_alert_desk
alert_held_expires|src/alert/desk_queue.c|s/return !desk_row_opens(r);/return true;/|test_alert_desk|tests/test_alert_desk
alert_fallback_unresolved|src/alert/desk_queue.c|/^settle/,/^}/s/desk_make(d, \&o);/;/|test_alert_desk|tests/test_alert_desk
alert_monitor_goes_untold|src/store/edit.c|s/r = edit_gone(s, e, en, ei);/(void)en;/|test_store_outbox|tests/test_store_outbox
alert_orphan_reminder|src/alert/desk.c|s/if (r->inc != NULL \&\& orphan(r))/if (false)/|test_alert_desk|tests/test_alert_desk
alert_no_backoff|src/alert/desk_done.c|s/us \*= 2;/us *= 1;/|test_alert_desk|tests/test_alert_desk
alert_after_ignored|src/alert/desk_done.c|s/return MAX(us, o->after_us);/return us;/|test_alert_desk|tests/test_alert_desk
alert_heard_before_commit|src/store/batch.c|s/^\(.*\)e = ops->commit(s->db, ei);/\1for (size_t i = lo; i < hi; i++) if (s->conf.durable != NULL) s->conf.durable(s->conf.durable_arg, b->v[i].unit);\n&/|test_store_outbox|tests/test_store_outbox
beacons_disbelieved_at_once|src/sched/beacon.c|s/b->doubt = true;/for (size_t i = 0; i < b->n; i++) b->v[i].voice = false;/|sim|$scene/blind_again.scn
loss_blind_counts|src/sched/run.c|s/if (sight == SIGHT_LOST \&\& !why/if (false \&\& !why/|sim|$loss
loss_no_recheck|src/state/state.c|/^failed/,/^}/s/v.recheck = true;/;/|sim|$loss
chain_leaves_before_commit|src/alert/desk_book.c|s/^\t\*BOOK(d, alert_unit_row) = \*r;/&\n\t(void)desk_add(d, r, false, r->next_us);/|sim|$weeks
chain_resolve_lost|src/alert/desk_queue.c|s/if (h.sent .*alone(r))$/if (h.collapsed)/|sim|$weeks
chain_second_beginning|src/route/plan.c|s/if (known \&\& step == 0)/if (false)/|sim|$weeks
chain_order_swapped|src/alert/desk_done.c|s/list_push(first, \&r->queue);/list_push(\&ch->queue, \&r->queue);/|sim|$weeks
chain_expired_as_new|src/alert/desk.c|s/m->made_us - MAX(r->at_us, r->next_us) > m->late_us/false/|sim|$weeks
chain_window_ignored|src/alert/desk_queue.c|s/if (muted(d, r, now_us, \&until_us, note)) {/if (false) {/|sim|$weeks
chain_step_of_acknowledged|src/alert/desk_queue.c|s/if (inc->acked_us != 0 \&\&/if (false \&\&/|sim|$weeks
chain_change_before_open|src/alert/desk_queue.c|/^too_soon/,/^}/s/return true;/return false;/|sim|$weeks
alert_settled_unended|src/alert/desk_book.c|s/ \&\& r->state != OUTBOX_SENT))/))/|test_alert_desk_time|tests/test_alert_desk_time
chain_empty_group_open|src/route/route.c|s/if (s->e->why == WHY_EMPTY_GROUP)/if (false)/|sim|$weeks
alert_reminders_end|src/alert/desk_queue.c|s/if (r->kind == ALERT_REMIND)   .*/if (false)/|test_alert_desk_time|tests/test_alert_desk_time
journal_reserve_wasted|src/store/journal.c|/^roll/,/^}/s/if (room_allowed(j)) {/shut(j);\n\t&/|test_store_journal|tests/test_store_journal
link_not_signed|src/model/link.c|s/if (!str_eq_secret(/if (false \&\& !str_eq_secret(/|test_model_link|tests/test_model_link
incident_stays_open_after_its_end|src/model/incident.c|s/return a->recover_us == 0 ? a->incident_us : 0;/return a->incident_us;/|test_store_incident|tests/test_store_incident
incident_of_a_monitor_that_went|src/store/edit.c|s/r = incidents_end(s, st->id, e->at_us, ei);/(void)incidents_end;/|test_store_incident|tests/test_store_incident
incident_resolved_while_down|src/store/incident_edit.c|s/if (i->closed_us == 0 \&\& to == INCIDENT_RESOLVED)/if (false)/|test_store_incident|tests/test_store_incident
incident_note_is_public|src/store/incident_view.c|s/if (!u->open)/if (false)/|test_store_incident|tests/test_store_incident
incident_not_put_right_at_open|src/store/store.c|s/e = incidents_settle(s, ei);/(void)incidents_settle;/|test_store_incident|tests/test_store_incident
incident_new_when_it_goes_on|src/store/incidents.c|s/if (rows > 0) {/if (rows > 1) {/|test_store_incident|tests/test_store_incident
incident_survives_a_rollback|src/store/batch.c|s/e->batch_incident = e->incident;/(void)e;/|test_store_incident|tests/test_store_incident
END
}

# The tree as it is now, times kept, so that ninja sees what changed. A copy
# that a broken run left mutated is thrown away; a file that came or went means
# to configure again.
refresh() {
	[ ! -e "$work/dirty" ] || rm -rf "$work"
	mkdir -p "$work"
	tools/sources.sh all >"$work/files.now"
	if ! cmp -s "$work/files.now" "$work/files"; then
		rm -rf "$tree"
		mkdir -p "$tree"
	fi
	tar cf - meson.build meson_options.txt src tests tools web |
	    tar xf - -C "$tree"
	if ! cmp -s "$work/files.now" "$work/files"; then
		again=
		[ ! -e "$out/build.ninja" ] || again=--reconfigure
		meson setup $again "$out" "$tree" -Doptimization=1 \
		    -Dtests=true >"$work/log" 2>&1 ||
		    { cat "$work/log"; exit 1; }
		mv "$work/files.now" "$work/files"
	fi
}

# build TARGET…: quiet unless it fails.
build() {
	for t; do set -- "$@" "tests/$t"; shift; done
	ninja -C "$out" -j "$(nproc)" "$@" >"$work/log" 2>&1
}

# The time limit is for mutants that hang; that is noticed, too.
run() {
	(cd "$out" && timeout 400 sh -c "$1") >"$work/log" 2>&1
}

wanted() {   # NAME [NAME…]: is the first among the others, or are there none
	name=$1
	shift
	[ $# -gt 0 ] || return 0
	for w; do [ "$w" != "$name" ] || return 0; done
	return 1
}

brief="late_answer_accepted slot_leaked stall_not_voided burst_after_stall
phase_not_hashed streak_not_reset our_fault_is_down retries_off_by_one
deadline_one_interval_late gap_of_a_restart_ignored paused_member_counts
host_cap_ignored transition_dropped_when_full deadline_of_a_class_ignored
ack_before_commit"
# shellcheck disable=SC2086 # one word per name
[ "${1:-}" != --brief ] || set -- $brief

refresh
table | while IFS= read -r row; do
	! wanted "${row%%|*}" "$@" || printf '%s\n' "$row"
done >"$work/table"
targets=$(cut -d'|' -f4 "$work/table" | sort -u)
# shellcheck disable=SC2086 # one word per target
if ! build $targets; then
	tail -30 "$work/log"
	echo "mutants: the unbroken tree does not build"
	echo "0 passed, 1 failed"
	exit 1
fi
cut -d'|' -f5 "$work/table" | sort -u >"$work/commands"
while IFS= read -r command; do
	if ! run "$command" </dev/null; then
		tail -30 "$work/log"
		echo "mutants: \"$command\" fails on the unbroken code"
		echo "0 passed, 1 failed"
		exit 1
	fi
done <"$work/commands"

caught=0
escaped=0
while IFS='|' read -r name file script target command; do
	: >"$work/dirty"
	sed "$script" "$file" >"$tree/$file"
	if cmp -s "$file" "$tree/$file"; then
		verdict="ESCAPED: its patch does not apply to $file"
	elif ! build "$target" </dev/null; then
		verdict="ESCAPED: it does not compile"
		tail -5 "$work/log"
	elif run "$command" </dev/null; then
		verdict="ESCAPED $command"
	else
		verdict="caught by $command"
	fi
	# Not with the old time: ninja must build it again.
	cp "$file" "$tree/$file"
	case $verdict in
	caught*) caught=$((caught + 1)) ;;
	*) escaped=$((escaped + 1)) ;;
	esac
	printf '%-30s %s\n' "$name" "$verdict"
done <"$work/table"
# shellcheck disable=SC2086
build $targets && rm -f "$work/dirty"
echo "$caught passed, $escaped failed"
[ "$escaped" -eq 0 ]
