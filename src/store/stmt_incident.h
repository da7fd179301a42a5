/* stmt_incident.h: what is asked about incidents, a part of enum stmt; for
 * stmt.h alone. */
#ifndef STORE_STMT_INCIDENT_H
#define STORE_STMT_INCIDENT_H

#define STMTS_INCIDENT \
	STMT_INCIDENT_PUT,      /* id monitor incident opened closed changed \
				 * severity worst why state version name title \
				 * reason cause by monitors */ \
	STMT_INCIDENT_AGAIN,    /* monitor incident severity worst at: it goes \
				 * on, or again */ \
	STMT_INCIDENT_END,      /* monitor at: whatever it has open */ \
	STMT_INCIDENT_SET,      /* id closed changed severity state version \
				 * title cause monitors */ \
	STMT_INCIDENT_DEL,      /* id; its updates go with it */ \
	STMT_INCIDENT_KEY,      /* monitor incident → id */ \
	STMT_INCIDENT_GET,      /* id → as put */ \
	STMT_INCIDENT_MAX,      /* table → the highest id ever */ \
	STMT_INCIDENT_MANUAL,   /* open only → how many by hand */ \
	STMT_INCIDENT_LOAD,     /* after limit → open ones, by id, as put */ \
	STMT_INCIDENT_LIST,     /* below from to which limit → as put, newest \
				 * first; which: 0 any, 1 open, 2 closed */ \
	STMT_INCIDENT_OPEN,     /* the same of those that are open */ \
	STMT_INCIDENT_OF,       /* the same and monitor */ \
	STMT_INCIDENT_OLD,      /* at limit: closed before */ \
	STMT_INCIDENT_NOTE,     /* id incident at state changed by text open */ \
	STMT_INCIDENT_NOTED,    /* incident → how many */ \
	STMT_INCIDENT_NOTES,    /* incident, open only → as NOTE, by id */ \
	STMT_INCIDENT_NEWS,     /* → as NOTE, monitor: what is open of open \
				 * incidents, by id */ \
	STMT_AUDIT_INCIDENTS, STMT_AUDIT_INCIDENT_OWNER, STMT_AUDIT_NOTES, \
	STMT_AUDIT_INCIDENT_OPEN  /* after limit → monitor, its state's bytes, \
				 * incident_us that is open or 0, how many */

#endif
