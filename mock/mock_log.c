#include "mock_log.h"

#define LINE_CAP (64u << 10)
#define TEXT_CAP 8192 /* longer texts are cut */

void mock_log_open(struct mock_log *l, struct io_out to)
{
	*l = (struct mock_log){ .to = to, .buf = mock_buf_of(MOCK_LOG_CAP), .line = mock_buf_of(LINE_CAP) };
}

bool mock_log_served_to(struct mock_log *l, const char *path)
{
	l->served = fopen(path, "we");
	return l->served != NULL;
}

bool mock_log_close(struct mock_log *l)
{
	bool good = true;

	mock_log_flush(l);
	if (l->served) {
		good = !ferror(l->served);
		good = fclose(l->served) == 0 && good;
	}
	mock_buf_free(&l->buf);
	mock_buf_free(&l->line);
	l->served = NULL;
	return good;
}

void mock_log_begin(struct mock_log *l, const char *event, unsigned conn)
{
	mock_buf_clear(&l->line);
	mock_put_lit(&l->line, "{\"event\":");
	mock_put_json_string(&l->line, span_of(event));
	if (conn > 0)
		mock_log_number(l, "conn", conn);
}

static void key(struct mock_log *l, const char *name)
{
	mock_put_char(&l->line, ',');
	mock_put_json_string(&l->line, span_of(name));
	mock_put_char(&l->line, ':');
}

void mock_log_text(struct mock_log *l, const char *name, struct span value)
{
	char clean[TEXT_CAP];
	size_t n = value.n < sizeof clean ? value.n : sizeof clean;

	/* what a client sends need not be UTF-8 */
	for (size_t i = 0; i < n; i++)
		clean[i] = (unsigned char)value.p[i] < 0x80 ? value.p[i] : '?';
	key(l, name);
	mock_put_json_string(&l->line, (struct span){ clean, n });
}

void mock_log_json(struct mock_log *l, const char *name, struct span value)
{
	key(l, name);
	mock_put(&l->line, value);
}

void mock_log_number(struct mock_log *l, const char *name, int64_t value)
{
	key(l, name);
	mock_put_i64(&l->line, value);
}

void mock_log_plain(struct mock_log *l, struct span line)
{
	if (l->gone)
		return;
	if (mock_buf_len(&l->buf) + line.n + 1 > MOCK_LOG_CAP) {
		l->left_out++;
		return;
	}
	mock_put(&l->buf, line);
	mock_put_char(&l->buf, '\n');
}

void mock_log_end(struct mock_log *l)
{
	if (l->left_out > 0)
		mock_log_number(l, "left_out", (int64_t)l->left_out);
	mock_put_char(&l->line, '}');
	if (l->line.full) {
		l->left_out++;
		return;
	}
	uint64_t told = l->left_out;
	mock_log_plain(l, mock_buf_span(&l->line));
	if (l->left_out == told)
		l->left_out = 0;
}

void mock_log_flush(struct mock_log *l)
{
	while (mock_buf_len(&l->buf) > 0) {
		struct span s = mock_buf_span(&l->buf);
		ssize_t n = io_write(&l->to, s.p, s.n);
		if (n < 0) {
			l->gone = true;
			mock_buf_clear(&l->buf);
		}
		if (n <= 0)
			break;
		mock_buf_take(&l->buf, (size_t)n);
	}
	if (l->served)
		fflush(l->served);
}

void mock_log_serve(struct mock_log *l, unsigned conn, struct span stream, struct span payload)
{
	if (!l->served)
		return;
	fprintf(l->served, "%u\t%.*s\t", conn, (int)stream.n, stream.p);
	while (payload.n > 0) {
		const char *end = memchr(payload.p, '\n', payload.n);
		size_t n = end ? (size_t)(end - payload.p) : payload.n;
		fwrite(payload.p, 1, n, l->served);
		if (end)
			fputc(' ', l->served);
		n += end != NULL;
		payload = (struct span){ payload.p + n, payload.n - n };
	}
	fputc('\n', l->served);
}
