/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/names.h"

#include "base/cleanup.h"
#include "base/number.h"
#include "policy/decide.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

#define HEADER_SIZE 12U
#define REVERSE_IPV4 ".in-addr.arpa"
#define REVERSE_IPV6 ".ip6.arpa"

static ldns_pkt *packet_free(ldns_pkt *packet) {
        ldns_pkt_free(packet);
        return NULL;
}
DEFINE_CLEANUP(ldns_pkt *, packet_free);

typedef struct Answer {
        ldns_pkt *packet; /* the answer being built */
        const ldns_rr *question;
        bool failed; /* no memory */
} Answer;

/* ---- names as text ---- */

/* ldns escapes every byte that is not plain, a dot inside a label too, and the escape is no
 * character of a host name. */
static bool question_host(const ldns_rr *question, char ret_host[static HOST_SIZE]) {
        cleanup_free char *text = ldns_rdf2str(ldns_rr_owner(question));
        HostForm form = text != NULL ? host_parse(text, ret_host) : HOST_EMPTY;

        if (form != HOST_NAME && form != HOST_ADDRESS)
                ret_host[0] = '\0';
        return form == HOST_NAME;
}

static void question_type(const ldns_rr *question, char ret_type[static 12]) {
        cleanup_free char *text = ldns_rr_type2str(ldns_rr_get_type(question));

        (void)snprintf(ret_type, 12, "%s", text != NULL ? text : "?");
}

static bool ends_with(const char *text, const char *end) {
        const size_t size = strlen(text), end_size = strlen(end);

        return size > end_size && strcmp(text + size - end_size, end) == 0;
}

/* "4.3.2.1.in-addr.arpa" */
static bool reverse_ipv4(const char *host, Address *ret_address) {
        uint8_t address[4];

        for (unsigned i = 4; i > 0; i--) {
                const size_t size = strcspn(host, ".");
                uint64_t byte;

                if (!number_parse(host, size, UINT8_MAX, &byte) || host[size] == '\0')
                        return false;
                address[i - 1] = (uint8_t)byte;
                host += size + 1;
        }
        *ret_address = address_from_bytes(address, sizeof(address));
        return strcmp(host, &REVERSE_IPV4[1]) == 0;
}

/* Thirty-two hexadecimal digits, the last one first, a dot behind each. */
static bool reverse_ipv6(const char *host, Address *ret_address) {
        static const char digits[] = "0123456789abcdef";
        uint8_t address[16] = { 0 };

        if (strlen(host) != 2 * 32 - 1 + strlen(REVERSE_IPV6))
                return false;
        for (unsigned i = 0; i < 32; i++) {
                const char *digit = host[2 * i] != '\0' ? strchr(digits, host[2 * i]) : NULL;

                if (digit == NULL || host[2 * i + 1] != '.')
                        return false;
                address[15 - i / 2] =
                        (uint8_t)(address[15 - i / 2] | (digit - digits) << (i % 2 == 0 ? 0 : 4));
        }
        *ret_address = address_from_bytes(address, sizeof(address));
        return true;
}

/* ---- records ---- */

static void add_record(Answer *answer, ldns_rr_type type, ldns_rdf *data) {
        ldns_rr *record = ldns_rr_new();
        ldns_rdf *owner = ldns_rdf_clone(ldns_rr_owner(answer->question));

        if (record == NULL || owner == NULL || data == NULL) {
                ldns_rr_free(record);
                ldns_rdf_deep_free(owner);
                ldns_rdf_deep_free(data);
                answer->failed = true;
                return;
        }
        ldns_rr_set_owner(record, owner);
        ldns_rr_set_type(record, type);
        ldns_rr_set_class(record, LDNS_RR_CLASS_IN);
        ldns_rr_set_ttl(record, NAMES_TTL);
        if (!ldns_rr_push_rdf(record, data))
                ldns_rdf_deep_free(data);
        if (!ldns_pkt_push_rr(answer->packet, LDNS_SECTION_ANSWER, record)) {
                ldns_rr_free(record);
                answer->failed = true;
        }
}

static NamesVerdict add_address(Answer *answer, const Address *address) {
        const bool ipv4 = address->family == 4;

        add_record(answer, ipv4 ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA,
                ldns_rdf_new_frm_data(ipv4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA, ipv4 ? 4 : 16,
                        address->bytes));
        return NAMES_ANSWERED;
}

/* ANY gets one record set, as RFC 8482 allows. */
static NamesVerdict add_addresses(Answer *answer, const Address *ipv4, const Address *ipv6) {
        const ldns_rr_type type = ldns_rr_get_type(answer->question);

        if (type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_ANY)
                return add_address(answer, ipv4);
        if (type == LDNS_RR_TYPE_AAAA)
                return add_address(answer, ipv6);
        return NAMES_EMPTY;
}

/* ---- questions ---- */

static NamesVerdict answer_reverse(Answer *answer, Pool *pool, int64_t now, const char *host) {
        const ldns_rr_type type = ldns_rr_get_type(answer->question);
        const char *name = NULL;
        Address address;

        if (reverse_ipv4(host, &address) || reverse_ipv6(host, &address))
                name = pool_find(pool, &address, now);
        if (name == NULL)
                return NAMES_UNKNOWN;
        if (type != LDNS_RR_TYPE_PTR && type != LDNS_RR_TYPE_ANY)
                return NAMES_EMPTY;
        add_record(answer, LDNS_RR_TYPE_PTR, ldns_dname_new_frm_str(name));
        return NAMES_ANSWERED;
}

static NamesVerdict answer_loopback(Answer *answer) {
        static const uint8_t ipv4[4] = { 127, 0, 0, 1 }, ipv6[16] = { [15] = 1 };
        const Address loopback[2] = { address_from_bytes(ipv4, sizeof(ipv4)),
                address_from_bytes(ipv6, sizeof(ipv6)) };

        return add_addresses(answer, &loopback[0], &loopback[1]);
}

static NamesVerdict answer_question(
        Answer *answer, Pool *pool, const Policy *policy, int64_t now, NamesOutcome *outcome) {
        const ldns_rr_type type = ldns_rr_get_type(answer->question);
        Address ipv4, ipv6;

        if (!question_host(answer->question, outcome->host))
                return NAMES_UNKNOWN;
        if (strcmp(outcome->host, "localhost") == 0)
                return answer_loopback(answer);
        if (ends_with(outcome->host, REVERSE_IPV4) || ends_with(outcome->host, REVERSE_IPV6))
                return answer_reverse(answer, pool, now, outcome->host);
        if (!policy_knows_host(policy, outcome->host))
                return NAMES_UNKNOWN;
        if (type != LDNS_RR_TYPE_A && type != LDNS_RR_TYPE_AAAA && type != LDNS_RR_TYPE_ANY)
                return NAMES_EMPTY;
        if (!pool_add(pool, outcome->host, &ipv4, &ipv6, now, &outcome->pinned, &outcome->fresh))
                return NAMES_BROKEN;
        return add_addresses(answer, &ipv4, &ipv6);
}

static bool is_plain_question(const ldns_pkt *query) {
        return ldns_pkt_get_opcode(query) == LDNS_PACKET_QUERY && ldns_pkt_qdcount(query) == 1 &&
               ldns_pkt_ancount(query) == 0 && ldns_pkt_nscount(query) == 0;
}

static ldns_pkt_rcode refusal(const ldns_pkt *query, const ldns_rr *question) {
        if (ldns_pkt_get_opcode(query) != LDNS_PACKET_QUERY)
                return LDNS_RCODE_NOTIMPL;
        if (question == NULL || !is_plain_question(query))
                return LDNS_RCODE_FORMERR;
        return ldns_rr_get_class(question) != LDNS_RR_CLASS_IN ? LDNS_RCODE_REFUSED
                                                               : LDNS_RCODE_NOERROR;
}

/* The header and question of the answer. RA is set although we ask nobody: stub resolvers give up
 * on servers that do not recurse. */
static ldns_pkt *answer_new(const ldns_pkt *query, const ldns_rr *question) {
        cleanup(packet_freep) ldns_pkt *packet = ldns_pkt_new();
        ldns_rr *copy = question != NULL ? ldns_rr_clone(question) : NULL;

        if (packet == NULL ||
                (question != NULL &&
                        (copy == NULL || !ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION, copy)))) {
                ldns_rr_free(copy);
                return NULL;
        }
        ldns_pkt_set_id(packet, ldns_pkt_id(query));
        ldns_pkt_set_opcode(packet, ldns_pkt_get_opcode(query));
        ldns_pkt_set_qr(packet, true);
        ldns_pkt_set_rd(packet, ldns_pkt_rd(query));
        ldns_pkt_set_ra(packet, true);
        if (ldns_pkt_edns(query))
                ldns_pkt_set_edns_udp_size(packet, NAMES_ANSWER_MAX);
        return take_ptr(packet);
}

static size_t write_answer(const ldns_pkt *packet, uint8_t ret_answer[static NAMES_ANSWER_MAX]) {
        cleanup_free uint8_t *wire = NULL;
        size_t size = 0;

        if (ldns_pkt2wire(&wire, packet, &size) != LDNS_STATUS_OK || size > NAMES_ANSWER_MAX)
                return 0;
        memcpy(ret_answer, wire, size);
        return size;
}

/* What cannot even be parsed: only its number is believed. */
static size_t write_format_error(
        const uint8_t *query, uint8_t ret_answer[static NAMES_ANSWER_MAX]) {
        memset(ret_answer, 0, HEADER_SIZE);
        memcpy(ret_answer, query, 2);
        ret_answer[2] =
                (uint8_t)(0x80U | (query[2] & 0x79U)); /* QR, the opcode and RD of the query */
        ret_answer[3] = 0x80U | LDNS_RCODE_FORMERR;    /* RA */
        return HEADER_SIZE;
}

size_t names_answer(Pool *pool, const Policy *policy, int64_t now, const uint8_t *query,
        size_t size, uint8_t ret_answer[static NAMES_ANSWER_MAX], NamesOutcome *ret_outcome) {
        cleanup(packet_freep) ldns_pkt *asked = NULL;
        cleanup(packet_freep) ldns_pkt *packet = NULL;
        Answer answer = { 0 };
        ldns_pkt_rcode code;

        *ret_outcome = (NamesOutcome){ .verdict = NAMES_SILENT };
        if (size < HEADER_SIZE || (query[2] & 0x80U) != 0)
                return 0;
        ret_outcome->verdict = NAMES_BROKEN;
        if (size > NAMES_QUERY_MAX || ldns_wire2pkt(&asked, query, size) != LDNS_STATUS_OK)
                return write_format_error(query, ret_answer);

        answer.question = ldns_rr_list_rr(ldns_pkt_question(asked), 0);
        packet = answer_new(asked, answer.question);
        if (packet == NULL)
                return 0;
        answer.packet = packet;
        code = refusal(asked, answer.question);
        if (code == LDNS_RCODE_NOERROR) {
                question_type(answer.question, ret_outcome->type);
                ret_outcome->verdict = answer_question(&answer, pool, policy, now, ret_outcome);
                if (ret_outcome->verdict == NAMES_UNKNOWN)
                        code = LDNS_RCODE_NXDOMAIN;
                if (ret_outcome->verdict == NAMES_BROKEN || answer.failed)
                        code = LDNS_RCODE_SERVFAIL;
        }
        ldns_pkt_set_rcode(packet, (uint8_t)code);
        return write_answer(packet, ret_answer);
}
