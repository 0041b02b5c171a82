/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the flash images' block nodes, which -machine refers to. */
#pragma once

#define FIRMWARE_CODE_NODE "firmware.code"
#define FIRMWARE_VARS_NODE "firmware.vars"
