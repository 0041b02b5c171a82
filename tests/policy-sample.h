/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections with a packet filter for the tests of lib/firewall.
 *
 *	CLEANUP(made_done) struct made m = {};
 *	if (make(&m, "{'groups':{'a':{}}}", "{'groups':['a']}", "'network':'lan'"))
 *		CHECK_INT(m.port.entries[FW_IN].n, 4);
 */
#pragma once

#include "config-sample.h"
#include "firewall/policy.h"

#define RAM "'memory':{'ram':64}"
#define NETWORKS                                                                                   \
	"'network':{'lan':{'mode':'bridge','device':'br0'},'old':{'device':'br1'},"                \
	"'shut':{'device':'br2','default':{'in':'drop','out':'drop'}},"                            \
	"'nat':{'mode':'user'}}"

struct made {
	struct sample s;
	struct fw_policy policy;
	struct fw_port port;
};

static inline void made_done(struct made *m)
{
	fw_port_done(&m->port);
	fw_policy_done(&m->policy);
	sample_done(&m->s);
}

/*
 * The first connection of a machine, resolved.
 *
 * @firewall: the host's section, after "'firewall':"
 * @attrs: of the machine's attrs.firewall
 * @connection: keys besides its name
 */
static inline bool make(
		struct made *m, const char *firewall, const char *attrs, const char *connection)
{
	CLEANUP(freep)
	char *host = xasprintf("{" NETWORKS ",'firewall':%s,'tag':{'t1':{'attrs':{'firewall':{"
			       "'groups':['b','a'],'rules':[{'comment':'t1'}]}}},'t2':{'attrs':{"
			       "'firewall':{'groups':['c','b'],'rules':[{'comment':'t2'}]}}}}}",
			firewall);
	CLEANUP(freep)
	char *machine = xasprintf("{'attrs':{" RAM "%s%s},'connections':[{'name':'0',%s}]}",
			attrs[0] ? ",'firewall':" : "", attrs, connection);
	struct error err = {};
	sample_host(&m->s, host);
	sample_machine(&m->s, "web", machine);
	if (!sample_build(&m->s))
		return false;
	if (fw_policy_build(&m->s.host, &m->policy, &m->s.report) != 0 ||
			fw_check_machine(&m->policy, &m->s.machine, &m->s.vm, &m->s.report) != 0) {
		TEST_FAIL("%s", sample_findings(&m->s));
		return false;
	}
	if (!m->s.vm.nics[0].filter)
		return true;
	int r = fw_port_of_nic(&m->policy, &m->s.vm, &m->s.vm.nics[0], &m->port, &err);
	if (r < 0)
		TEST_FAIL("%s", err.text);
	return r == 0;
}
