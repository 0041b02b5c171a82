/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configs in memory for the tests of lib/config and lib/model. JSON is written with single quotes:
 *
 *	CLEANUP(sample_done) struct sample s = {};
 *	sample_host(&s, "{'tag': {'m': {'attrs': {'memory': {'ram': 64}}}}}");
 *	sample_machine(&s, "web", "{'tags': ['m']}");
 *	if (sample_build(&s))
 *		CHECK_INT(s.vm.memory.ram_mib, 64);
 *	CHECK_STR(sample_findings(&s), "");
 *
 * Documents are called "host", "drop1" and so on, and by the machine's name. A step that fails
 * makes the later ones do nothing.
 */
#pragma once

#include <json-c/json_object.h>
#include <stdlib.h>

#include "config/load.h"
#include "model/vm.h"
#include "test.h"
#include "util/mem.h"

#define SAMPLE_DOCS_MAX 8

struct sample {
	struct report report;
	struct host host;
	struct machine machine;
	struct vm vm;
	bool failed;
	struct buf text; /* of sample_findings() */
};

static inline void sample_done(struct sample *s)
{
	vm_done(&s->vm);
	machine_done(&s->machine);
	host_done(&s->host);
	report_done(&s->report);
	buf_done(&s->text);
}

/* Single quotes become double ones. */
static inline int sample_parse(
		struct sample *s, const char *name, const char *text, struct jdoc *ret)
{
	CLEANUP(freep) char *json = xstrdup(text);
	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return jdoc_parse(name, json, strlen(json), ret, &s->report);
}

/* @texts: the main file, then drop-ins; NULL-terminated */
static inline void sample_hosts(struct sample *s, const char *const *texts)
{
	struct jdoc *docs = xcalloc(SAMPLE_DOCS_MAX, sizeof(*docs));
	size_t n = 0;
	for (; texts[n]; n++) {
		CLEANUP(freep) char *name = n ? xasprintf("drop%zu", n) : xstrdup("host");
		s->failed |= sample_parse(s, name, texts[n], &docs[n]) != 0;
	}
	s->failed |= host_take_docs(docs, n, &s->host, &s->report) != 0;
}

static inline void sample_host(struct sample *s, const char *text)
{
	sample_hosts(s, (const char *const[]){ text, NULL });
}

/* Another machine on the same host may follow. */
static inline void sample_machine(struct sample *s, const char *name, const char *text)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	vm_done(&s->vm);
	machine_done(&s->machine);
	s->failed = s->failed || sample_parse(s, name, text, &doc) != 0 ||
		    machine_take_doc(&s->host, name, &doc, &s->machine, &s->report) != 0;
}

/* All findings, a line each. */
static inline const char *sample_findings(struct sample *s)
{
	buf_clear(&s->text);
	report_sort(&s->report);
	for (size_t i = 0; i < s->report.n; i++) {
		buf_puts(&s->text, i ? "\n" : "");
		if (s->report.items[i].severity == SEVERITY_ADVICE)
			buf_puts(&s->text, "advice: ");
		finding_format(&s->report.items[i], &s->text);
	}
	return buf_text(&s->text);
}

/* Returns whether s->vm can be looked at; it is a failure of the test if not. */
static inline bool sample_build(struct sample *s)
{
	s->failed = s->failed || vm_build(&s->host, &s->machine, &s->vm, &s->report) != 0;
	if (s->failed)
		TEST_FAIL("not built: %s", sample_findings(s));
	return !s->failed;
}

/* The merged machine with single quotes; the caller frees it. */
static inline char *sample_merged(const struct sample *s)
{
	char *text = xstrdup(json_object_to_json_string_ext(s->machine.merged,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	for (char *p = text; *p; p++)
		*p = *p == '"' ? '\'' : *p;
	return text;
}
