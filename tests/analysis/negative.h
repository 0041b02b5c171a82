/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an analyser that reads one file at a time can't see of util/error.h: none of these returns 0
 * or more. Included in front of each file that it reads.
 */
#pragma once

#include "util/error.h"

#define error_set(...) ((void)error_set(__VA_ARGS__), -1)
#define error_errno(...) ((void)error_errno(__VA_ARGS__), -1)
#define error_code(...) ((void)error_code(__VA_ARGS__), -1)
#define error_wrap(...) ((void)error_wrap(__VA_ARGS__), -1)
#define error_at(...) ((void)error_at(__VA_ARGS__), -1)
