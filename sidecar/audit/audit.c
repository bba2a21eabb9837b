/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/audit/audit.h"

#include "sidecar/audit/format.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

int audit_write(AuditLog *log, const AuditEvent *event) {
        struct pollfd sink = { .fd = log->fd, .events = POLLOUT };
        AuditStamp stamp = { .sequence = log->sequence + 1, .lost = log->lost };
        char line[AUDIT_LINE_MAX + 1];
        ssize_t written;
        size_t size;

        if (poll(&sink, 1, 0) != 1 || (sink.revents & POLLOUT) == 0)
                return (sink.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? -EPIPE : -EAGAIN;

        (void)clock_gettime(CLOCK_REALTIME, &stamp.time);
        size = audit_format(event, &stamp, line + 1);
        line[0] = '\n';
        written = write(log->fd, log->torn ? line : line + 1, size + log->torn);
        if (written < 0)
                return -errno;
        log->torn = (size_t)written < size + log->torn;
        if (log->torn)
                return -ENOSPC;
        log->sequence++;
        log->lost = 0;
        if (log->recent != NULL)
                audit_recent_add(log->recent, line + 1, size);
        return 0;
}

void audit_lose(AuditLog *log) {
        log->lost++;
}
