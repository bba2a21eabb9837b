/* SPDX-License-Identifier: Apache-2.0 */

/* A request against a fixed policy. Input: port, then host, program and address in lines. Forbidden
 * addresses are never allowed. */
#include "policy/decide.h"
#include "policy/parse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
        "version: 1\n"
        "network_policies:\n"
        "  a: {endpoints: [{host: '**.example.com', ports: [443, 80]}, {host: '*-x.*.example.org', "
        "port: 443}], binaries: [{path: '/usr/**'}]}\n"
        "  b: {endpoints: [{host: api.example.com, port: 443, protocol: rest, access: full}], "
        "binaries: [{path: /usr/bin/git}]}\n"
        "  c: {endpoints: [{host: localhost, port: 80}, {port: 443, allowed_ips: [10.0.0.0/8, "
        "'2001:db8::/32']}], binaries: [{path: '/*/x*'}]}\n";

/* The next line of the input, as text. */
static void take_line(const uint8_t **data, size_t *size, char line[static 512]) {
        const uint8_t *end = memchr(*data, '\n', *size);
        size_t length = end != NULL ? (size_t)(end - *data) : *size,
               kept = length < 511 ? length : 511;

        memcpy(line, *data, kept);
        line[kept] = '\0';
        *data += length + (end != NULL);
        *size -= length + (end != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static Policy *policy;
        char host[512], path[512], address_text[512], said[512];
        PolicyProgram program = { .path = path };
        PolicyRequest request = { .host = host, .programs = &program, .program_count = 1 };
        PolicyDecision decision;
        Diagnostics diagnostics;
        Address address;

        if (policy == NULL)
                assert(policy_parse(text, sizeof(text) - 1, &policy, &diagnostics) == 0);
        if (size < 2)
                return 0;
        request.port = (uint16_t)(data[0] << 8 | data[1]);
        data += 2;
        size -= 2;
        take_line(&data, &size, host);
        take_line(&data, &size, path);
        take_line(&data, &size, address_text);
        if (address_parse(address_text, &address))
                request.address = &address;
        decision = policy_decide(policy, &request);
        policy_decision_text(&decision, &request, said, sizeof(said));
        if (decision.allowed && request.address != NULL)
                assert(!address_class_forbidden(address_class(&address)));
        assert(!decision.allowed || (decision.network != NULL && decision.binary != NULL));
        (void)policy_knows_host(policy, host);
        return 0;
}
