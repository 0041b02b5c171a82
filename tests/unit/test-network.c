/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks with a bridge of their own: from the config, in a unit's rows, for dnsmasq. */
#include "model/network.h"

#include "config-sample.h"
#include "model/dnsmasq.h"
#include "rows.h"

#define HOME                                                                                       \
	"{'network':{'home':{'mode':'nat','device':'mnat0','address':['10.77.0.1/24',"             \
	"'fd77::1/64'],'dhcp':{'range':'10.77.0.100-10.77.0.199'},'domain':'home.internal',"       \
	"'forward':[{'port':8080,'to':'10.77.0.5','to-port':80}]}}}"

/* The first network of a host. */
static int build_first(struct sample *s, const char *host, struct network *ret)
{
	sample_host(s, host);
	return s->failed ? -1
			 : network_build(&s->host, s->host.conf.network.items, ret, &s->report);
}

static char *rows_of(const struct network *network)
{
	CLEANUP(buf_done) struct buf rows = {};
	network_put_rows(network, &rows);
	return rows_text(&rows);
}

static void add_leases(struct network *network, const char *const *lines)
{
	CLEANUP(leases_done) struct leases leases = {};
	for (; *lines; lines++)
		strv_push(&leases.items, *lines);
	leases_sort(&leases);
	network_add_leases(network, &leases);
}

TEST(a_network_survives_its_rows)
{
	static const char *const lines[] = { "home web 52:54:00:00:00:01 10.77.0.5 fd77::5",
		"other web 52:54:00:00:00:09 10.77.0.9", "homely x 52:54:00:00:00:08", NULL };
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(network_done) struct network network = {}, back = {};
	struct error err = {};
	CHECK_INT(build_first(&s, HOME, &network), 0);
	CHECK_STR(sample_findings(&s), "");
	add_leases(&network, lines);
	CLEANUP(freep) char *rows = rows_of(&network);
	CLEANUP(freep)
	char *expected = xasprintf("network name=home mode=nat bridge=mnat0 mac=%s "
				   "domain=home.internal dhcp=yes first=10.77.0.100 "
				   "last=10.77.0.199 lease=3600\n"
				   "address ip=10.77.0.1 prefix=24\n"
				   "address ip=fd77::1 prefix=64\n"
				   "forward port=8080 to=10.77.0.5 to-port=80\n"
				   "lease mac=52:54:00:00:00:01 host=web ip=10.77.0.5 ip=fd77::5\n",
			network.mac);
	CHECK_STR(rows, expected);
	CHECK(!strncmp(network.mac, "02:", 3));

	CLEANUP(buf_done) struct buf packed = {};
	CLEANUP(strv_done) struct strv words = {};
	network_put_rows(&network, &packed);
	for (const char *at = NULL; rows_next(&packed, &at, &words);)
		if (network_parse_row(&back, &words, &err) < 0)
			TEST_FAIL("%s: %s", words.items[0], err.text);
	CHECK_INT(network_parse_end(&back, &err), 0);
	CLEANUP(freep) char *again = rows_of(&back);
	CHECK_STR(again, rows);
	CHECK(!memcmp(&back.addresses[1].block, &network.addresses[1].block,
			sizeof(back.addresses[1].block)));
}

TEST(rows_of_others_are_refused)
{
	static const char *const bad[] = { "", "unknown", "network", "network name=x",
		"network name=x mode=nat bridge=b", "network name=x mode=bridge bridge=b mac=m",
		"network name=x mode=cloud bridge=b mac=m", "address", "address ip=x prefix=24",
		"address ip=10.0.0.1 prefix=x", "address ip=10.0.0.1", "forward port=1",
		"forward port=1 to=x to-port=1", "forward port=0 to=10.0.0.1 to-port=1",
		"forward port=1 address=x to=10.0.0.1 to-port=1", "lease host=web",
		"lease mac=m ip=x", "lease mac=m color=red" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(network_done) struct network network = {};
		CLEANUP(strv_done) struct strv words = {};
		CLEANUP(freep) char *copy = xstrdup(bad[i]);
		char *state = NULL;
		struct error err = {};
		for (char *w = strtok_r(copy, " ", &state); w; w = strtok_r(NULL, " ", &state))
			strv_push(&words, w);
		int r = network_parse_row(&network, &words, &err);
		if (r == 0)
			r = network_parse_end(&network, &err);
		if (r != -EINVAL || !err.text[0])
			TEST_FAIL("'%s' was taken", bad[i]);
	}
}

/* Names follow from machines; of two that would have one name or address, the first has it. */
TEST(names_and_addresses_are_given_once)
{
	static const char *const lines[] = {
		"home a.b_C 52:54:00:00:00:01",
		"home a-b-c 52:54:00:00:00:02 10.77.0.7",
		"home b 52:54:00:00:00:03 10.77.0.7 10.77.0.8 10.78.0.1 10.77.0.1",
		"home c_ 52:54:00:00:00:04",
		NULL,
	};
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(network_done) struct network network = {};
	CLEANUP(buf_done) struct buf hosts = {}, names = {};
	CHECK_INT(build_first(&s, HOME, &network), 0);
	add_leases(&network, lines);
	dnsmasq_hosts(&network, &hosts);
	dnsmasq_names(&network, &names);
	CHECK_STR(buf_text(&hosts), "52:54:00:00:00:02,10.77.0.7,a-b-c\n"
				    "52:54:00:00:00:03,10.77.0.8,b\n"
				    "52:54:00:00:00:04,c\n");
	CHECK_STR(buf_text(&names), "10.77.0.7 a-b-c\n10.77.0.8 b\n");
}

TEST(leases_are_those_of_connections)
{
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(leases_done) struct leases leases = {}, back = {};
	CLEANUP(buf_done) struct buf packed = {};
	sample_host(&s, "{'network':{'home':{'mode':'nat','device':'m0','address':'10.77.0.1/24'},"
			"'lan':{'mode':'bridge','device':'br0'}}}");
	sample_machine(&s, "web",
			"{'attrs':{'memory':{'ram':64}},'connections':[{'name':'a','network':"
			"'home','mac':'52-54-00-00-00-01','ip':'10.77.0.5/"
			"24'},{'name':'b','network':"
			"'lan','ip':'10.0.0.1'},{'name':'c','network':'home'}]}");
	if (!sample_build(&s))
		return;
	leases_add(&leases, &s.vm);
	CHECK_INT(leases.items.n, 2);
	CHECK_STR(leases.items.items[0], "home web 52:54:00:00:00:01 10.77.0.5");
	CHECK(!strncmp(leases.items.items[1], "home web 52:54:00:", 18));
	leases_pack(&leases, &packed);
	buf_puts(&packed, "behind");
	CHECK_STR(leases_unpack(&back, buf_text(&packed)), "behind");
	CHECK_INT(back.items.n, 2);
	CHECK_STR(back.items.items[0], leases.items.items[0]);
}

/* What dnsmasq is told for a network, in one line. */
static void check_dnsmasq(const char *host, const char *const *expected, size_t n)
{
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(network_done) struct network network = {};
	CLEANUP(strv_done) struct strv argv = {};
	CHECK_INT(build_first(&s, host, &network), 0);
	CHECK_STR(sample_findings(&s), "");
	dnsmasq_argv(&network, "/run/m", "/var/m", &argv);
	CHECK_STR(argv.items[0], DNSMASQ);
	for (size_t i = 0; i < n; i++)
		if (!strv_contains(&argv, expected[i]))
			TEST_FAIL("'%s' is missing", expected[i]);
	if (access(DNSMASQ, X_OK) < 0) {
		printf("# dnsmasq is not installed: nobody has read its arguments\n");
		return;
	}
	CLEANUP(buf_done) struct buf line = {};
	for (size_t i = 0; i < argv.n; i++)
		if (strncmp(argv.items[i], "--addn-hosts", 12) != 0 &&
				strncmp(argv.items[i], "--dhcp-hostsfile", 16) != 0)
			buf_printf(&line, "'%s' ", argv.items[i]);
	buf_puts(&line, "--test 2>&1 | grep -q 'syntax check OK'");
	if (system(buf_text(&line)) != 0)
		TEST_FAIL("dnsmasq does not take %s", buf_text(&line));
}

TEST(dnsmasq_is_told)
{
	static const char *const home[] = {
		"--interface=mnat0",
		"--dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,3600",
		"--dhcp-range=fd77::,static,slaac,64,3600",
		"--enable-ra",
		"--domain=home.internal",
		"--local=/home.internal/",
		"--dhcp-hostsfile=/run/m/hosts",
		"--addn-hosts=/run/m/names",
		"--dhcp-leasefile=/var/m/leases",
	};
	static const char *const lab[] = { "--no-resolv", "--dhcp-option=option:router",
		"--dhcp-range=10.0.0.0,static,255.255.255.240,43200",
		"--dhcp-range=10.1.0.9,10.1.0.10,255.255.0.0,43200",
		"--dhcp-option=option:mtu,1400", "--ra-param=mlab0,0,0",
		"--dhcp-range=fd00::,static,slaac,64,43200" };
	check_dnsmasq(HOME, home, ARRAY_SIZE(home));
	check_dnsmasq("{'network':{'lab':{'mode':'isolated','device':'mlab0','mtu':1400,'address':["
		      "'10.0.0.1/28','10.1.0.1/16','fd00::1/64'],'dhcp':{'range':"
		      "'10.1.0.9-10.1.0.10','lease':'12h'}}}}",
			lab, ARRAY_SIZE(lab));
}

/* As where QEMU listens: a packet never goes to 0.0.0.0. */
TEST(a_port_of_any_address_is_one_of_all)
{
	static const char *const any[] = { "", "0.0.0.0" };
	for (size_t i = 0; i < ARRAY_SIZE(any); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(network_done) struct network network = {};
		CLEANUP(freep)
		char *host = xasprintf("{'network':{'home':{'mode':'nat','device':'m0','address':"
				       "'10.77.0.1/24','forward':[{'port':80,'to':'10.77.0.5',"
				       "'address':'%s'},{'port':80,'to':'10.77.0.6','address':"
				       "'192.0.2.1'}]}}}",
				any[i]);
		CHECK_INT(build_first(&s, host, &network), 0);
		CHECK_STR(network.forwards[0].address, NULL);
		CHECK_STR(network.forwards[1].address, "192.0.2.1");
		networks_check(&s.host, &s.report);
		CHECK(strstr(sample_findings(&s), "this network has the host's TCP port 80 twice"));
	}
}

TEST(units_have_users_of_their_own)
{
	CLEANUP(freep) char *unit = network_unit_name("home");
	CLEANUP(freep) char *user = network_user_name("home");
	CLEANUP(freep) char *longer = network_user_name("a-network-with-quite-a-long-na");
	CLEANUP(freep) char *dir = network_run_dir("/run/machina", "home");
	CHECK_STR(unit, "machina-network-home.service");
	CHECK_STR(user, "machina-net-home");
	CHECK_INT(strlen(longer), 12 + 16);
	CHECK_STR(dir, "/run/machina-network/home");
}

TEST_MAIN()
