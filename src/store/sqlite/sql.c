#include "store/sqlite/sql.h"

#define TRANSITION "id, monitor, seq, at_us, was, became, why, reason," \
	" explain, evidence"
#define EVENT "id, at_us, kind, was, became, why, monitor, actor, subject, text"
#define OUTBOX "k, channel, state, step, attempts, next_us, expires_us," \
	" remind_us, note, event, maybe"
#define INCIDENT "id, monitor, incident_us, opened_us, closed_us, changed_us," \
	" severity, worst, why, state, version, name, title, reason, cause," \
	" by, monitors"
#define INCIDENT_WANTED " id < ?1 AND opened_us < ?3" \
	" AND (closed_us = 0 OR closed_us >= ?2)" \
	" AND (?4 = 0 OR (?4 = 1) = (closed_us = 0))"
#define NOTE "u.id, u.incident, u.at_us, u.state, u.changed, u.by, u.text," \
	" u.open"
#define EVENT_WANTED " WHERE id > ?1 AND id < ?2" \
	" AND (?4 = 0 OR ?4 >> kind & 1)" \
	" AND (?5 = 0 OR monitor = ?5) AND at_us >= ?6 AND at_us < ?7"
/* Rows are long (evidence); the index has all that a turn is. */
#define TURNS "transition INDEXED BY transition_turn"
/* What belongs to a deleted monitor is not shown while it waits to go. */
#define NOT_DOOMED "monitor NOT IN (SELECT monitor FROM doomed)"

const char *const sql_text[STMT_NMAX] = {
	[STMT_META_PUT] = "INSERT OR REPLACE INTO meta VALUES(?1, ?2)",
	[STMT_META_GET] = "SELECT v FROM meta WHERE k = ?1",
	[STMT_MONITOR_PUT] = "INSERT OR REPLACE INTO monitor"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[STMT_MONITOR_DEL] = "DELETE FROM monitor WHERE id = ?1",
	[STMT_MONITOR_LOAD] = "SELECT id, name, grp, text, version, origin,"
	    " archived, paused, created_us FROM monitor ORDER BY grp <> 0, id",
	[STMT_CHANNEL_PUT] = "INSERT OR REPLACE INTO channel VALUES(?1, ?2, ?3)",
	[STMT_CHANNEL_DEL] = "DELETE FROM channel WHERE name = ?1",
	[STMT_CHANNEL_LOAD] = "SELECT name, type, text FROM channel"
	    " ORDER BY name",
	[STMT_TOKEN_PUT] = "INSERT OR REPLACE INTO token"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[STMT_TOKEN_LOAD] = "SELECT name, hash, scope, created_us, expires_us,"
	    " revoked_us FROM token ORDER BY name",
	[STMT_STATE_PUT] = "INSERT OR REPLACE INTO state VALUES(?1, ?2)",
	[STMT_STATE_DEL] = "DELETE FROM state WHERE monitor = ?1",
	[STMT_STATE_LOAD] = "SELECT monitor, b FROM state",
	[STMT_STATE_GET] = "SELECT b FROM state WHERE monitor = ?1",
	[STMT_TAIL_PUT] = "INSERT INTO tail VALUES(?1, ?2, ?3)",
	[STMT_TAIL_GET] = "SELECT b FROM tail WHERE id = ?1",
	[STMT_TAIL_HAVE] = "SELECT 1 FROM tail WHERE id = ?1",
	[STMT_TAIL_LOAD] = "SELECT id, n, b FROM tail ORDER BY id",
	[STMT_TAIL_DEL] = "DELETE FROM tail WHERE id BETWEEN ?1 AND ?2",
	[STMT_CHUNK_PUT] = "INSERT INTO chunk VALUES(NULL, ?1, ?2, ?3, ?4, ?5,"
	    " ?6, ?7)",
	[STMT_CHUNK_DEL] = "DELETE FROM chunk WHERE id = ?1",
	[STMT_CHUNK_LAST] = "SELECT id, last_seq, n, b FROM chunk"
	    " WHERE monitor = ?1 ORDER BY last_seq DESC LIMIT 1",
	/* first_seq is not in the index: a chunk that ends at or above the
	 * bound may begin below it. */
	[STMT_CHUNK_LIST] = "SELECT id, last_seq, from_us, to_us FROM chunk"
	    " WHERE monitor = ?1 AND from_us < ?3 AND (last_seq < ?2"
	    " OR first_seq < ?2) ORDER BY last_seq DESC",
	[STMT_CHUNK_GET] = "SELECT b FROM chunk WHERE id = ?1",
	[STMT_CHUNK_DOOM] = "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk"
	    " WHERE monitor = ?1 LIMIT ?2)",
	[STMT_ROLLUP_PUT] = "INSERT OR REPLACE INTO rollup"
	    " VALUES(?1, ?2, ?3, ?4)",
	[STMT_ROLLUP_GET] = "SELECT b FROM rollup WHERE level = ?1"
	    " AND hour = ?2 AND monitor = ?3",
	[STMT_ROLLUP_NEXT] = "SELECT hour FROM rollup WHERE level = ?1"
	    " AND hour > ?2 ORDER BY hour LIMIT 1",
	[STMT_ROLLUP_DEL] = "DELETE FROM rollup WHERE level = ?1"
	    " AND hour = ?2 AND monitor = ?3",
	[STMT_ROLLUP_OLD] = "DELETE FROM rollup WHERE (level, hour, monitor) IN"
	    " (SELECT level, hour, monitor FROM rollup WHERE level = ?1"
	    " AND hour < ?2 ORDER BY hour, monitor LIMIT ?3)",
	[STMT_CHUNK_OLD] = "SELECT id, monitor, last_seq, n, length(b), to_us"
	    " FROM chunk INDEXED BY chunk_age WHERE to_us >= ?1"
	    " AND (to_us > ?1 OR id > ?2) ORDER BY to_us, id LIMIT ?3",
	[STMT_CHUNK_NEWER] = "SELECT n FROM chunk WHERE monitor = ?1"
	    " AND last_seq > ?2 ORDER BY last_seq",
	[STMT_TRANSITION_PUT] = "INSERT OR IGNORE INTO transition"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[STMT_TRANSITION_HAVE] = "SELECT 1 FROM transition WHERE id = ?1",
	[STMT_TRANSITION_SINCE] = "SELECT monitor, at_us, was, became"
	    " FROM " TURNS " WHERE at_us >= ?1 ORDER BY monitor, at_us, id",
	[STMT_TRANSITION_LIST] = "SELECT " TRANSITION " FROM transition"
	    " WHERE monitor = ?1 AND at_us >= ?2 AND at_us < ?3 AND id < ?4"
	    " ORDER BY id DESC LIMIT ?5",
	[STMT_TRANSITION_ALL] = "SELECT " TRANSITION " FROM transition"
	    " WHERE at_us >= ?1 AND at_us < ?2 AND id < ?3 AND " NOT_DOOMED
	    " ORDER BY id DESC LIMIT ?4",
	[STMT_TRANSITION_AT] = "SELECT " TRANSITION " FROM transition"
	    " WHERE monitor = ?1 AND at_us <= ?2"
	    " ORDER BY at_us DESC, id DESC LIMIT 1",
	[STMT_TURN_AT] = "SELECT became FROM " TURNS " WHERE monitor = ?1"
	    " AND at_us <= ?2 ORDER BY at_us DESC, id DESC LIMIT 1",
	[STMT_TURN_NEXT] = "SELECT was FROM " TURNS " WHERE monitor = ?1"
	    " AND at_us > ?2 ORDER BY at_us, id LIMIT 1",
	[STMT_TURN_SPAN] = "SELECT at_us, was, became, id FROM " TURNS
	    " WHERE monitor = ?1 AND at_us > ?2 AND at_us < ?3 ORDER BY at_us",
	[STMT_TURN_ALL] = "SELECT monitor, at_us, was, became, id FROM " TURNS
	    " WHERE monitor BETWEEN ?1 AND ?2 AND at_us < ?3"
	    " ORDER BY monitor, at_us",
	[STMT_TRANSITION_MAX] = "SELECT id, at_us FROM transition"
	    " ORDER BY id DESC LIMIT 1",
	[STMT_TRANSITION_DOOM] = "DELETE FROM transition WHERE id IN"
	    " (SELECT id FROM transition WHERE monitor = ?1 LIMIT ?2)",
	[STMT_TRANSITION_FLOOR] = "SELECT at_us, id FROM transition"
	    " WHERE monitor = ?1 AND at_us <= ?2"
	    " ORDER BY at_us DESC, id DESC LIMIT 1",
	/* The inner limit bounds what one step reads, whatever the monitor
	 * has; all of it comes from the index transition_key. */
	[STMT_TRANSITION_NTH] = "SELECT at_us, id, nth FROM (SELECT at_us, id,"
	    " row_number() OVER (ORDER BY at_us DESC, id DESC) AS nth FROM"
	    " (SELECT at_us, id FROM transition WHERE monitor = ?1"
	    " AND at_us <= ?2 AND (at_us < ?2 OR id < ?3)"
	    " ORDER BY at_us DESC, id DESC LIMIT ?4)) ORDER BY nth DESC LIMIT 1",
	[STMT_TRANSITION_BEFORE] = "DELETE FROM transition WHERE id IN"
	    " (SELECT id FROM transition WHERE monitor = ?1 AND at_us <= ?2"
	    " AND (at_us < ?2 OR id < ?3) ORDER BY at_us, id LIMIT ?4)",
	[STMT_EVIDENCE_PUT] = "INSERT OR REPLACE INTO evidence VALUES(?1, ?2)",
	[STMT_EVIDENCE_GET] = "SELECT text FROM evidence WHERE monitor = ?1",
	[STMT_EVIDENCE_DEL] = "DELETE FROM evidence WHERE monitor = ?1",
	[STMT_EVENT_PUT] = "INSERT INTO event"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[STMT_EVENT_HAVE] = "SELECT 1 FROM event WHERE id = ?1",
	[STMT_EVENT_RANGE] = "SELECT (SELECT coalesce(min(id), 0) FROM event),"
	    " id, at_us FROM event ORDER BY id DESC LIMIT 1",
	[STMT_EVENT_DEL] = "DELETE FROM event WHERE id <= ?1",
	[STMT_EVENT_AGED] = "SELECT coalesce(min(CASE WHEN at_us >= ?1 THEN id"
	    " END) - 1, max(id), 0) FROM (SELECT id, at_us FROM event"
	    " ORDER BY id LIMIT ?2)",
	[STMT_EVENT_OLD] = "SELECT " EVENT " FROM event"
	    EVENT_WANTED " ORDER BY id LIMIT ?3",
	[STMT_EVENT_NEW] = "SELECT " EVENT " FROM event"
	    EVENT_WANTED " ORDER BY id DESC LIMIT ?3",
	[STMT_GAP_PUT] = "INSERT OR REPLACE INTO gap VALUES(?1, ?2)",
	[STMT_GAP_LOAD] = "SELECT from_us, to_us FROM gap WHERE to_us > ?1"
	    " ORDER BY from_us",
	[STMT_GAP_PRUNE] = "DELETE FROM gap WHERE from_us NOT IN (SELECT from_us"
	    " FROM gap ORDER BY from_us DESC LIMIT ?1)",
	[STMT_GAP_OLD] = "DELETE FROM gap WHERE from_us IN (SELECT from_us"
	    " FROM gap WHERE to_us < ?1 ORDER BY from_us LIMIT ?2)",
	[STMT_DOOMED_PUT] = "INSERT OR REPLACE INTO doomed VALUES(?1)",
	[STMT_DOOMED_DEL] = "DELETE FROM doomed WHERE monitor = ?1",
	[STMT_DOOMED_LOAD] = "SELECT monitor FROM doomed ORDER BY monitor",
	[STMT_OUTBOX_PUT] = "INSERT OR IGNORE INTO outbox(k, channel, state,"
	    " step, attempts, next_us, expires_us, remind_us, kept, monitor,"
	    " incident_us, at_us, note, event) VALUES(?1, ?2, ?3, ?4, ?5, ?6,"
	    " ?7, ?8, 1, ?9, ?10, ?11, ?12, ?13)",
	[STMT_OUTBOX_MARK] = "UPDATE outbox SET state = ?2, attempts = ?3,"
	    " next_us = ?4, note = ?5, kept = ?6, maybe = ?7 WHERE k = ?1",
	[STMT_OUTBOX_LOAD] = "SELECT " OUTBOX " FROM outbox WHERE kept = 1"
	    " ORDER BY id",
	[STMT_OUTBOX_GET] = "SELECT state, attempts, next_us, note FROM outbox"
	    " WHERE k = ?1",
	[STMT_OUTBOX_OPEN] = "SELECT incident_us FROM outbox WHERE monitor = ?1"
	    " AND kept = 1 AND incident_us > 0 ORDER BY incident_us DESC"
	    " LIMIT 1",
	[STMT_OUTBOX_OF] = "SELECT " OUTBOX " FROM outbox WHERE monitor = ?1"
	    " AND incident_us = ?2 ORDER BY id",
	[STMT_OUTBOX_OLD] = "DELETE FROM outbox WHERE id IN (SELECT id FROM"
	    " outbox WHERE kept = 0 AND at_us < ?1 ORDER BY at_us LIMIT ?2)",
	[STMT_DELIVERY_PUT] = "INSERT INTO delivery VALUES(NULL, ?1, ?2, ?3, ?4,"
	    " ?5, ?6, ?7, ?8, ?9)",
	[STMT_DELIVERY_LIST] = "SELECT id, k, channel, members, attempt, code,"
	    " result, at_us, took_us, text FROM delivery WHERE channel = ?1"
	    " AND id < ?2 ORDER BY id DESC LIMIT ?3",
	[STMT_DELIVERY_PRUNE] = "DELETE FROM delivery WHERE id <= (SELECT id"
	    " FROM delivery ORDER BY id DESC LIMIT 1 OFFSET ?1)",
	[STMT_HEALTH_PUT] = "INSERT OR REPLACE INTO channel_health"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[STMT_HEALTH_LOAD] = "SELECT channel, failures, told, since_us, ok_us,"
	    " failed_us, error FROM channel_health",
	[STMT_HOLD_PUT] = "INSERT OR REPLACE INTO hold VALUES(?1, ?2, ?3, ?4,"
	    " ?5, ?6, ?7)",
	/* Never one of an incident that is still open for some channel. */
	[STMT_HOLD_OLD] = "DELETE FROM hold WHERE (monitor, incident_us) IN"
	    " (SELECT monitor, incident_us FROM hold AS h WHERE at_us < ?1"
	    " AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.monitor ="
	    " h.monitor AND o.incident_us = h.incident_us AND o.kept = 1)"
	    " ORDER BY at_us LIMIT ?2)",
	[STMT_HOLD_GET] = "SELECT acked_us, snoozed_us, by, note FROM hold"
	    " WHERE monitor = ?1 AND incident_us = ?2",
	[STMT_HOLD_LOAD] = "SELECT monitor, incident_us, acked_us, snoozed_us,"
	    " by, note FROM hold WHERE at_us >= ?1 ORDER BY at_us",
	/* -- audit.c */
	[STMT_WINDOW_PUT] = "INSERT OR REPLACE INTO maintenance"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[STMT_WINDOW_DEL] = "DELETE FROM maintenance WHERE name = ?1",
	[STMT_WINDOW_LOAD] = "SELECT name, origin, text, made_us, ended_us,"
	    " over_us FROM maintenance ORDER BY name",
	[STMT_WINDOW_OLD] = "DELETE FROM maintenance WHERE name IN (SELECT name"
	    " FROM maintenance WHERE over_us <> 0 AND over_us < ?1"
	    " AND origin <> 0 LIMIT ?2)",
	[STMT_APPLIED_PUT] = "INSERT INTO applied"
	    " VALUES(NULL, ?1, ?2, ?3, ?4, ?5)",
	[STMT_APPLIED_CUT] = "UPDATE applied SET to_us = max(from_us, ?2)"
	    " WHERE to_us > ?2 AND name = ?1 AND (?3 OR monitor = 0)",
	[STMT_APPLIED_FLEX] = "SELECT name, monitor, from_us, to_us"
	    " FROM applied WHERE to_us > ?1 AND monitor <> 0",
	[STMT_APPLIED_SPAN] = "SELECT from_us, to_us, monitor, monitors,"
	    " name FROM applied WHERE to_us > ?1 AND from_us < ?2 ORDER BY from_us",
	[STMT_APPLIED_BEFORE] = "SELECT max(from_us) FROM applied"
	    " WHERE from_us < ?1 AND to_us > from_us",
	[STMT_APPLIED_OLD] = "DELETE FROM applied WHERE id IN (SELECT id"
	    " FROM applied WHERE to_us < ?1 ORDER BY to_us LIMIT ?2)",
	[STMT_INCIDENT_PUT] = "INSERT INTO incident VALUES(?1, ?2, ?3, ?4, ?5,"
	    " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
	/* Closed before, it is as new: nobody has looked into it yet. */
	[STMT_INCIDENT_AGAIN] = "UPDATE incident SET"
	    " state = CASE WHEN closed_us <> 0 THEN 0 ELSE state END,"
	    " version = version + (closed_us <> 0),"
	    " changed_us = CASE WHEN closed_us <> 0 OR severity < ?3"
	    " OR worst > ?4 THEN max(changed_us, ?5) ELSE changed_us END,"
	    " severity = max(severity, ?3), worst = min(worst, ?4),"
	    " closed_us = 0 WHERE monitor = ?1 AND incident_us = ?2"
	    " AND monitor <> 0",
	[STMT_INCIDENT_END] = "UPDATE incident SET state = 3,"
	    " version = version + 1, closed_us = max(?2, opened_us),"
	    " changed_us = max(?2, changed_us) WHERE monitor = ?1"
	    " AND closed_us = 0 AND monitor <> 0",
	[STMT_INCIDENT_SET] = "UPDATE incident SET closed_us = ?2,"
	    " changed_us = ?3, severity = ?4, state = ?5, version = ?6,"
	    " title = ?7, cause = ?8, monitors = ?9 WHERE id = ?1",
	[STMT_INCIDENT_DEL] = "DELETE FROM incident WHERE id = ?1",
	[STMT_INCIDENT_KEY] = "SELECT id FROM incident WHERE monitor = ?1"
	    " AND incident_us = ?2 AND monitor <> 0",
	[STMT_INCIDENT_GET] = "SELECT " INCIDENT " FROM incident WHERE id = ?1",
	[STMT_INCIDENT_MAX] = "SELECT seq FROM sqlite_sequence WHERE name = ?1",
	[STMT_INCIDENT_MANUAL] = "SELECT count(*) FROM incident"
	    " WHERE monitor = 0 AND (?1 = 0 OR closed_us = 0)",
	[STMT_INCIDENT_LOAD] = "SELECT " INCIDENT " FROM incident"
	    " WHERE closed_us = 0 AND id > ?1 ORDER BY id LIMIT ?2",
	[STMT_INCIDENT_LIST] = "SELECT " INCIDENT " FROM incident WHERE"
	    INCIDENT_WANTED " ORDER BY id DESC LIMIT ?5",
	[STMT_INCIDENT_OPEN] = "SELECT " INCIDENT " FROM incident"
	    " INDEXED BY incident_open WHERE closed_us = 0 AND"
	    INCIDENT_WANTED " ORDER BY id DESC LIMIT ?5",
	/* Manual ones are few. */
	[STMT_INCIDENT_OF] = "SELECT " INCIDENT " FROM incident"
	    " INDEXED BY incident_of WHERE monitor IN (0, ?6)"
	    " AND (monitor <> 0"
	    " OR instr(',' || monitors || ',', ',' || ?6 || ',') > 0) AND"
	    INCIDENT_WANTED " ORDER BY id DESC LIMIT ?5",
	[STMT_INCIDENT_OLD] = "DELETE FROM incident WHERE id IN (SELECT id"
	    " FROM incident WHERE closed_us <> 0 AND closed_us < ?1"
	    " ORDER BY closed_us LIMIT ?2)",
	[STMT_INCIDENT_NOTE] = "INSERT INTO incident_update"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STMT_INCIDENT_NOTED] = "SELECT count(*) FROM incident_update"
	    " WHERE incident = ?1",
	[STMT_INCIDENT_NOTES] = "SELECT " NOTE " FROM incident_update AS u"
	    " WHERE u.incident = ?1 AND (NOT ?2 OR u.open) ORDER BY u.id",
	[STMT_INCIDENT_NEWS] = "SELECT " NOTE ", i.monitor"
	    " FROM incident AS i JOIN incident_update AS u"
	    " ON u.incident = i.id WHERE i.closed_us = 0 AND u.open"
	    " ORDER BY u.id",
	[STMT_AUDIT_INCIDENTS] = "SELECT monitor, opened_us, closed_us"
	    " FROM incident WHERE (closed_us <> 0) <> (state = 3)"
	    " OR (closed_us <> 0 AND closed_us < opened_us)",
	[STMT_AUDIT_INCIDENT_OWNER] = "SELECT monitor, opened_us, opened_us"
	    " FROM incident WHERE closed_us = 0 AND monitor <> 0"
	    " AND monitor NOT IN (SELECT id FROM monitor WHERE archived = 0)",
	[STMT_AUDIT_NOTES] = "SELECT 0, at_us, at_us FROM incident_update"
	    " WHERE incident NOT IN (SELECT id FROM incident)",
	[STMT_AUDIT_INCIDENT_OPEN] = "SELECT s.monitor, s.b, coalesce((SELECT"
	    " max(i.incident_us) FROM incident AS i WHERE i.monitor = s.monitor"
	    " AND i.closed_us = 0), 0), (SELECT count(*) FROM incident AS i"
	    " WHERE i.monitor = s.monitor AND i.closed_us = 0)"
	    " FROM state AS s WHERE s.monitor > ?1 ORDER BY s.monitor LIMIT ?2",
	[STMT_AUDIT_WINDOWS] = "SELECT 0, made_us, ended_us FROM maintenance"
	    " WHERE NOT json_valid(text)",
	[STMT_AUDIT_APPLIED] = "SELECT monitor, from_us, to_us FROM applied"
	    " WHERE to_us < from_us",
	[STMT_AUDIT_PAGES] = "PRAGMA integrity_check(100)",
	[STMT_AUDIT_QUICK] = "PRAGMA quick_check(100)",
	[STMT_AUDIT_KEYS] = "PRAGMA foreign_key_check",
	[STMT_AUDIT_STATES] = "SELECT monitor, 0, 0 FROM state"
	    " WHERE monitor NOT IN (SELECT id FROM monitor)",
	[STMT_AUDIT_EVIDENCE] = "SELECT monitor, 0, 0 FROM evidence"
	    " WHERE monitor NOT IN (SELECT id FROM monitor)",
	[STMT_AUDIT_GROUPS] = "SELECT id, 0, 0 FROM monitor WHERE grp <> 0"
	    " AND grp NOT IN (SELECT id FROM monitor WHERE grp = 0)",
	[STMT_AUDIT_NAMES] = "SELECT max(id), 0, 0 FROM monitor"
	    " WHERE archived = 0 GROUP BY grp, name HAVING count(*) > 1",
	[STMT_AUDIT_TEXTS] = "SELECT id, 0, 0 FROM monitor"
	    " WHERE NOT json_valid(text)",
	[STMT_AUDIT_IDS] = "SELECT id, 0, 0 FROM monitor"
	    " WHERE id >= (SELECT v FROM meta WHERE k = 'next_monitor')",
	[STMT_AUDIT_DOOMED] = "SELECT monitor, 0, 0 FROM doomed"
	    " WHERE monitor IN (SELECT id FROM monitor)",
	[STMT_AUDIT_TOKENS] = "SELECT 0, created_us, created_us FROM token"
	    " WHERE length(hash) <> 32",
	[STMT_AUDIT_GAPS] = "SELECT 0, from_us, to_us FROM gap"
	    " WHERE to_us < from_us",
	[STMT_AUDIT_CHUNK_OWNER] = "SELECT m, m IN (SELECT id FROM monitor"
	    " UNION SELECT monitor FROM doomed) FROM (SELECT min(monitor) AS m"
	    " FROM chunk WHERE monitor > ?1) WHERE m IS NOT NULL",
	[STMT_AUDIT_CHUNKS] = "SELECT id, first_seq, last_seq, from_us, to_us,"
	    " n, b FROM chunk WHERE monitor = ?1 AND last_seq > ?2"
	    " ORDER BY last_seq LIMIT ?3",
	[STMT_AUDIT_CHUNK_WITH] = "SELECT b FROM chunk WHERE monitor = ?1"
	    " AND last_seq >= ?2 ORDER BY last_seq LIMIT 1",
	[STMT_AUDIT_CHUNK_LAST] = "SELECT max(last_seq) FROM chunk"
	    " WHERE monitor = ?1",
	[STMT_AUDIT_TAIL] = "SELECT id, n, b FROM tail WHERE id > ?1"
	    " ORDER BY id LIMIT ?2",
	[STMT_AUDIT_CHUNK_BYTES] = "SELECT 0, 0, 0 WHERE (SELECT"
	    " coalesce(sum(length(b)), 0) FROM chunk) <>"
	    " (SELECT v FROM meta WHERE k = 'chunk_bytes')",
	[STMT_AUDIT_OUTBOX] = "SELECT monitor, at_us, at_us FROM outbox"
	    " WHERE NOT json_valid(event)",
	[STMT_AUDIT_ROLLUPS] = "SELECT level, hour, monitor, b, monitor IN"
	    " (SELECT id FROM monitor UNION SELECT monitor FROM doomed)"
	    " FROM rollup WHERE (level, hour, monitor) > (?1, ?2, ?3)"
	    " ORDER BY level, hour, monitor LIMIT ?4",
	[STMT_AUDIT_TURN_OWNER] = "SELECT m, m IN (SELECT id FROM monitor"
	    " UNION SELECT monitor FROM doomed) FROM (SELECT min(monitor) AS m"
	    " FROM transition WHERE monitor > ?1) WHERE m IS NOT NULL",
	[STMT_AUDIT_TURNS] = "SELECT id, at_us, was, became FROM transition"
	    " WHERE monitor = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
	[STMT_QUARANTINE_PUT] = "INSERT OR IGNORE INTO quarantine"
	    " VALUES(NULL, ?1, ?2, ?3, ?4, 0, ?5, ?6)",
	[STMT_QUARANTINE_COUNT] = "SELECT count(*) FROM quarantine",
	[STMT_QUARANTINE_LIST] = "SELECT id, at_us, kind, monitor, reason,"
	    " attempts, length(b) FROM quarantine WHERE id < ?1"
	    " ORDER BY id DESC LIMIT ?2",
	[STMT_QUARANTINE_GET] = "SELECT id, at_us, kind, monitor, reason,"
	    " attempts, length(b), b FROM quarantine WHERE id = ?1",
	[STMT_QUARANTINE_DEL] = "DELETE FROM quarantine WHERE id = ?1",
	[STMT_QUARANTINE_TRIED] = "UPDATE quarantine SET attempts = attempts + 1,"
	    " reason = ?2 WHERE id = ?1",
};
