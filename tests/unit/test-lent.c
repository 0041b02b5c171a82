/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine has of the host's devices, as it is shown. */
#include "host/device/lent.h"

#include "fake-usb.h"
#include "host/device/mdev.h"
#include "lending.h"
#include "test.h"

#define GPU "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define CARD "0000:41:00.0"
#define UUID "3e2cee4d-1002-4989-af98-3e03b8ad3197"

#define ROWS                                                                                       \
	"usb-node name=usb.0\n"                                                                    \
	"mdev name=vgpu class=cad uuid=" UUID "\nparent address=" CARD " type=A40-8Q\n"            \
	"pci name=gpu class=gpu function=1\ncandidate vendor=10de device=2235\n"                   \
	"usb name=key class=key\nplug id=0529:0001"

static void begin(void)
{
	kernel_bind_other = kernel_bind_usb;
	begin_host();
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ GPU, .driver = "nvidia", .group = "14" });
	kernel_pci(&(struct kernel_pci){ SOUND, .class = "0x040300\n", .device = "0x1aef\n",
			.driver = "snd_hda_intel", .group = "14" });
	kernel_pci(&(struct kernel_pci){
			CARD, .device = "0x2236\n", .driver = "nvidia", .group = "31" });
	kernel_mdev_type(CARD, "nvidia-563", "A40-8Q\n", "2\n");
	kernel_usb(&(struct kernel_usb){ "1-3.4", "0529:0001", .number = 6 });
}

/* "gpu pci 0000:01:00.0 0000:01:00.1; " */
static void check_shown(const struct plan *plan, const char *expected)
{
	CLEANUP(lent_devices_done) struct lent_devices devices;
	CLEANUP(buf_done) struct buf text = {};
	lent_find(&host, plan, &devices);
	for (size_t i = 0; i < devices.n; i++) {
		const struct lent_device *d = &devices.items[i];
		buf_printf(&text, "%s%s %s", d->is_connection ? "connection " : "", d->name,
				lent_kind_names[d->kind]);
		for (size_t k = 0; k < d->places.n; k++)
			buf_printf(&text, " %s", d->places.items[k]);
		buf_printf(&text, "%s%s%s; ", d->is ? " is " : "", d->is ? d->is : "",
				d->is_gone ? ", gone" : "");
	}
	CHECK_STR(buf_text(&text), expected);
}

TEST(what_is_lent_is_shown)
{
	NEED_NODES();
	begin();
	PLAN(web, "web", ROWS);
	PLAN(mail, "mail", "pci name=gpu class=gpu\ncandidate address=" CARD);
	struct error err = {};
	check_shown(&web, "");
	CHECK_INT(lend(&web, NULL, &err), 0);
	CHECK_INT(mdev_create(&host, &web.mdevs[0], &err), 0);
	check_shown(&web, "gpu pci " GPU " " SOUND
			  "; key usb 1-3.4 is 0529:0001; vgpu mediated " CARD " is A40-8Q; ");
	check_shown(&mail, "");
	/* Pulled out, and something else in its place. */
	put_file(KERNEL_USB "/1-3.4/idProduct", "0002\n");
	check_shown(&web, "gpu pci " GPU " " SOUND
			  "; key usb 1-3.4 is 0529:0001, gone; vgpu mediated " CARD " is A40-8Q; ");
	put_file(KERNEL_USB "/1-3.4/idProduct", "0001\n");
	/* Whoever asks need not be root. */
	struct stat st = {};
	CHECK_INT(stat(scratch_path("run/.pci:" GPU), &st), 0);
	CHECK_INT(st.st_mode & 0777, 0644);
	CHECK_INT(mdev_remove(&host, UUID, &err), 0);
	check_given_back("web");
	check_shown(&web, "");
	kernel_end();
}

TEST(a_function_of_a_card_is_a_connections)
{
	begin_host();
	put_file("run/.pci:0000:41:00.1", "machine=web\nfor=connection lan\nfunction=0\n");
	put_file("run/.pci:0000:41:00.2", "machine=mail\nfor=connection lan\nfunction=0\n");
	/* Half written, or of a later version. */
	put_file("run/.pci:0000:41:00.3", "machine=web\n");
	put_file("run/.usb:1-1", "machine=web\nfor=\n");
	PLAN(web, "web", "mdev name=vgpu class=cad uuid=" UUID);
	check_shown(&web, "connection lan pci 0000:41:00.1, gone; ");
	kernel_end();
}

TEST_MAIN()
