/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of machines for a monitoring system, as text.
 *
 * METRICS_OPEN is OpenMetrics 1.0 (openmetrics.io). METRICS_PROMETHEUS is what node_exporter reads
 * from its textfile directory, Prometheus's format 0.0.4: it knows neither units, nor info, nor
 * sets of states, and the names of its counters end as those of their samples. The samples are the
 * same.
 */
#pragma once

#include "observe/census.h"
#include "util/buf.h"

enum metrics_format { METRICS_OPEN, METRICS_PROMETHEUS };

/* @took_usec: how long the census took */
void metrics_write(const struct census *census, enum metrics_format format, uint64_t took_usec,
		struct buf *text);
