/* The tracepoint that carries the fields of our event. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER arc_peer
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./arc_tp.h"
#if !defined(ARC_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define ARC_TP_H
#include <lttng/tracepoint.h>
#include <stdint.h>
LTTNG_UST_TRACEPOINT_EVENT(arc_peer, event,
    LTTNG_UST_TP_ARGS(uint64_t, handle, uint64_t, address, uint32_t, count, uint32_t, site),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, handle, handle) lttng_ust_field_integer(uint64_t, address, address)
                            lttng_ust_field_integer(uint32_t, count, count) lttng_ust_field_integer(uint32_t, site, site)))
#endif
#include <lttng/tracepoint-event.h>
