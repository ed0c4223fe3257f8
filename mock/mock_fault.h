/* mock_fault - the words of a fault, on the command line and on standard input. bnc-mock(1) lists them all. */
#ifndef BNC_MOCK_FAULT_H
#define BNC_MOCK_FAULT_H

#include "mock_name.h"
#include "mock_tls.h"

enum mock_stage {	   /* when a fault can be carried out */
	MOCK_STAGE_SERVER, /* it has no connection */
	MOCK_STAGE_TCP,	   /* a connection has been accepted */
	MOCK_STAGE_HTTP,   /* it has asked for a WebSocket */
	MOCK_STAGE_LAG,	   /* it has asked for something else, which has not been looked at */
	MOCK_STAGE_REST,   /* and that has been answered */
	MOCK_STAGE_CONN,   /* it is open */
};

enum mock_verb {
	MOCK_V_REFUSE,
	MOCK_V_LISTEN,
	MOCK_V_NO_ACCEPT,
	MOCK_V_CERT,
	MOCK_V_WAIT,
	MOCK_V_LOG,
	MOCK_V_CLEAR,
	MOCK_V_TLS, /* n: enum mock_tls_fault */
	MOCK_V_HTTP,
	MOCK_V_NO_ANSWER,
	MOCK_V_BAD_ACCEPT,
	MOCK_V_NOT_HTTP,
	MOCK_V_HANG_UP,
	MOCK_V_HEADERS,
	MOCK_V_EXTENSION,
	MOCK_V_REST,
	MOCK_V_REST_BAD, /* n: enum mock_rest_bad */
	MOCK_V_REST_DELAY,
	MOCK_V_REST_LAG,
	MOCK_V_CUT, /* n: enum mock_cut */
	MOCK_V_CLOSE,
	MOCK_V_SILENCE,
	MOCK_V_HOLD,
	MOCK_V_HALF_OPEN,
	MOCK_V_NO_PONG,
	MOCK_V_NO_PING,
	MOCK_V_SLOW,
	MOCK_V_SPLIT,
	MOCK_V_DUP,
	MOCK_V_REORDER,
	MOCK_V_DROP,
	MOCK_V_NEWLINE,
	MOCK_V_GARBAGE,
	MOCK_V_RSV,
	MOCK_V_BAD_OPCODE,
	MOCK_V_STRAY,
	MOCK_V_INTERLEAVE,
	MOCK_V_LONG_CONTROL,
	MOCK_V_SPLIT_CONTROL,
	MOCK_V_ENDLESS,
	MOCK_V_BAD_LENGTH,
	MOCK_V_HUGE,
	MOCK_V_BAD_UTF8,
	MOCK_V_BINARY,
	MOCK_V_MASKED,
	MOCK_V_EMPTY,
	MOCK_V_EMPTY_FRAGMENTS,
	MOCK_V_PING,
	MOCK_V_PINGS,
	MOCK_V_PONG,
	MOCK_V_SAY,
	MOCK_V_RAW,
	MOCK_V_SHUTDOWN,
	MOCK_V_ERROR,
	MOCK_V_SUBSCRIBE_SILENCE,
	MOCK_V_AGE,
	MOCK_V_HEAL,
};

enum mock_tls_fault { MOCK_TLS_SILENT, MOCK_TLS_GARBAGE, MOCK_TLS_CLOSE, MOCK_TLS_RST };
enum mock_cut { MOCK_CUT_FIN, MOCK_CUT_TLS, MOCK_CUT_RST, MOCK_CUT_MID_FRAME, MOCK_CUT_MID_HEADER };

enum mock_rest_bad { MOCK_REST_CUT, MOCK_REST_EMPTY, MOCK_REST_HTML, MOCK_REST_TEXT, MOCK_REST_ARRAY };

enum mock_whom {
	MOCK_WHOM_ANY,	  /* not said */
	MOCK_WHOM_NUMBER, /* the connection `count`, now or when it comes */
	MOCK_WHOM_NEXT,	  /* the next `count` connections */
	MOCK_WHOM_EACH,	  /* every connection, also those to come */
};

#define MOCK_FAULT_TEXT	   1024
#define MOCK_FAULT_PATH	   64
#define MOCK_FAULT_FOREVER INT64_MAX

struct mock_fault {
	enum mock_whom whom;
	uint64_t count;
	int tier;   /* enum mock_tier, -1: any */
	bool user;  /* connections of user data only */
	int64_t at; /* after so many messages of data; 0: at once */
	enum mock_verb verb;
	enum mock_stage stage;
	const char *word;	    /* of the verb */
	int64_t n;		    /* count, size, status, code or choice */
	int64_t us;		    /* duration; MOCK_FAULT_FOREVER where none was given */
	int64_t more;		    /* slow: bytes at a time; http, rest: Retry-After in s or -1; error: code */
	int64_t code;		    /* rest: the exchange's; 0: HTML */
	char path[MOCK_FAULT_PATH]; /* rest: paths that begin so; empty: any */
	enum mock_cert cert;
	size_t text_n;
	char text[MOCK_FAULT_TEXT]; /* reason, stream, location, message, bytes */
};

/* one line, without its '\n'; NULL: *f is filled, else what is wrong with it. An empty line is wrong */
const char *mock_fault_parse(struct span line, struct mock_fault *f);

#endif
