/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/netlink.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define ROOM 256U

typedef struct Request {
        union {
                struct nlmsghdr header;
                char bytes[ROOM];
        };
} Request;

/* ---- rtnetlink ---- */

static void add_attribute(Request *request, unsigned short type, const void *data, size_t size) {
        struct rtattr *attribute =
                (struct rtattr *)(void *)(request->bytes + NLMSG_ALIGN(request->header.nlmsg_len));

        attribute->rta_type = type;
        attribute->rta_len = (unsigned short)RTA_LENGTH(size);
        memcpy(RTA_DATA(attribute), data, size);
        request->header.nlmsg_len =
                NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

static int exchange(int fd, const Request *request) {
        Request answer;
        struct nlmsgerr result;
        ssize_t n;

        if (send(fd, request->bytes, request->header.nlmsg_len, 0) < 0)
                return -errno;
        n = recv(fd, answer.bytes, sizeof(answer.bytes), 0);
        if (n < (ssize_t)(NLMSG_HDRLEN + sizeof(result)) || answer.header.nlmsg_type != NLMSG_ERROR)
                return n < 0 ? -errno : -EPROTO;
        memcpy(&result, NLMSG_DATA(&answer.header), sizeof(result));
        return result.error;
}

static Request begin(uint16_t type, const void *body, size_t size) {
        Request request = { .header = {
                                    .nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
                                    .nlmsg_type = type,
                                    .nlmsg_flags =
                                            NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
                            } };

        memcpy(NLMSG_DATA(&request.header), body, size);
        return request;
}

static int add_address(int fd, uint32_t interface) {
        const struct ifaddrmsg body = {
                .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = interface
        };
        const struct in_addr address = { .s_addr = htonl(0xc0000201) }; /* 192.0.2.1 */
        Request request = begin(RTM_NEWADDR, &body, sizeof(body));

        add_attribute(&request, IFA_LOCAL, &address, sizeof(address));
        add_attribute(&request, IFA_ADDRESS, &address, sizeof(address));
        return exchange(fd, &request);
}

static int add_route(
        int fd, uint8_t family, uint32_t interface, const void *source, size_t source_size) {
        const struct rtmsg body = {
                .rtm_family = family,
                .rtm_table = RT_TABLE_LOCAL,
                .rtm_protocol = RTPROT_STATIC,
                .rtm_scope = RT_SCOPE_HOST,
                .rtm_type = RTN_LOCAL,
        };
        Request request = begin(RTM_NEWROUTE, &body, sizeof(body));

        add_attribute(&request, RTA_OIF, &interface, sizeof(interface));
        add_attribute(&request, RTA_PREFSRC, source, source_size);
        return exchange(fd, &request);
}

int netlink_make_everything_local(Error *error) {
        const struct in_addr ipv4 = { .s_addr = htonl(INADDR_LOOPBACK) };
        const struct in6_addr ipv6 = IN6ADDR_LOOPBACK_INIT;
        const uint32_t loopback = if_nametoindex("lo");
        cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        int r;

        if (fd < 0 || loopback == 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot reach the routes of the sandbox network");
        r = add_address(fd, loopback);
        if (r == 0)
                r = add_route(fd, AF_INET, loopback, &ipv4, sizeof(ipv4));
        if (r == 0)
                r = add_route(fd, AF_INET6, loopback, &ipv6, sizeof(ipv6));
        return r < 0 ? error_set(error, ERROR_OS, -r,
                               "cannot make every address local in the sandbox network")
                     : 0;
}

/* ---- sock_diag ---- */

int netlink_open_diagnosis(int *ret_fd, Error *error) {
        int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);

        if (fd < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot ask the kernel about sockets (sock_diag)");
        *ret_fd = fd;
        return 0;
}

static void set_question(
        struct inet_diag_req_v2 *question, const WireSocket *local, const WireSocket *remote) {
        question->sdiag_family = local->family == 4 ? AF_INET : AF_INET6;
        question->sdiag_protocol = IPPROTO_TCP;
        question->idiag_states = ~0U;
        question->id.idiag_sport = htons(local->port);
        question->id.idiag_dport = htons(remote->port);
        memcpy(question->id.idiag_src, local->bytes, sizeof(local->bytes));
        memcpy(question->id.idiag_dst, remote->bytes, sizeof(remote->bytes));
        question->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
        question->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

int netlink_socket_inode(
        int diagnosis_fd, const WireSocket *local, const WireSocket *remote, uint32_t *ret_inode) {
        struct inet_diag_req_v2 question = { 0 };
        struct inet_diag_msg found;
        struct nlmsgerr refusal;
        Request request, answer;
        ssize_t n;

        set_question(&question, local, remote);
        request = begin(SOCK_DIAG_BY_FAMILY, &question, sizeof(question));
        request.header.nlmsg_flags = NLM_F_REQUEST;
        if (send(diagnosis_fd, request.bytes, request.header.nlmsg_len, 0) < 0)
                return -errno;
        /* The answer is there when send() returns; what does not fit are attributes that nobody
         * asked for. */
        n = recv(diagnosis_fd, answer.bytes, sizeof(answer.bytes), 0);
        if (n < 0)
                return -errno;
        if (n >= (ssize_t)(NLMSG_HDRLEN + sizeof(refusal)) &&
                answer.header.nlmsg_type == NLMSG_ERROR) {
                memcpy(&refusal, NLMSG_DATA(&answer.header), sizeof(refusal));
                return refusal.error < 0 ? refusal.error : -EPROTO;
        }
        if (n < (ssize_t)(NLMSG_HDRLEN + sizeof(found)) ||
                answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
                return -EPROTO;
        memcpy(&found, NLMSG_DATA(&answer.header), sizeof(found));
        if (found.idiag_inode == 0)
                return -ENOENT; /* closed by its program: TIME_WAIT, FIN_WAIT */
        *ret_inode = found.idiag_inode;
        return 0;
}
