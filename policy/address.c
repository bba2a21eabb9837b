/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The classes come from the IANA special-purpose address registries. A table lists them from the
 * narrow to the wide, the first that contains an address names it; forms that carry an IPv4 address
 * are taken apart before.
 */
#include "policy/address.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

typedef struct Special {
        AddressRange range;
        AddressClass class;
} Special;

/* clang-format off */
#define V4(a, b, c, d, bits) { { 4, { a, b, c, d } }, bits }
#define V6(bits, ...) { { 6, { __VA_ARGS__ } }, bits }

static const Special specials[] = {
        { V4(169, 254, 0, 0, 16), ADDRESS_LINK_LOCAL },
        { V4(127, 0, 0, 0, 8), ADDRESS_LOOPBACK },
        { V4(0, 0, 0, 0, 8), ADDRESS_UNSPECIFIED }, /* Linux connects 0.0.0.0 to the own host */
        { V4(255, 255, 255, 255, 32), ADDRESS_BROADCAST },
        { V4(224, 0, 0, 0, 4), ADDRESS_MULTICAST },
        /* metadata services that do not use link-local: Alibaba, Azure's wire server, Oracle */
        { V4(100, 100, 100, 200, 32), ADDRESS_METADATA },
        { V4(168, 63, 129, 16, 32), ADDRESS_METADATA },
        { V4(192, 0, 0, 192, 32), ADDRESS_METADATA },
        { V4(10, 0, 0, 0, 8), ADDRESS_PRIVATE },
        { V4(172, 16, 0, 0, 12), ADDRESS_PRIVATE },
        { V4(192, 168, 0, 0, 16), ADDRESS_PRIVATE },
        { V4(100, 64, 0, 0, 10), ADDRESS_PRIVATE },   /* carrier-grade NAT */
        { V4(192, 0, 0, 0, 24), ADDRESS_PRIVATE },    /* protocol assignments */
        { V4(192, 0, 2, 0, 24), ADDRESS_PRIVATE },    /* TEST-NET-1 */
        { V4(198, 51, 100, 0, 24), ADDRESS_PRIVATE }, /* TEST-NET-2 */
        { V4(203, 0, 113, 0, 24), ADDRESS_PRIVATE },  /* TEST-NET-3 */
        { V4(198, 18, 0, 0, 15), ADDRESS_PRIVATE },   /* benchmarking */
        { V4(240, 0, 0, 0, 4), ADDRESS_PRIVATE },     /* reserved */
        { V6(128, 0), ADDRESS_UNSPECIFIED },
        { V6(128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), ADDRESS_LOOPBACK },
        { V6(10, 0xfe, 0x80), ADDRESS_LINK_LOCAL },
        { V6(8, 0xff), ADDRESS_MULTICAST },
        { V6(128, 0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54),
                ADDRESS_METADATA }, /* Amazon's */
        { V6(7, 0xfc), ADDRESS_PRIVATE },                   /* unique local */
        { V6(10, 0xfe, 0xc0), ADDRESS_PRIVATE },            /* site-local, deprecated */
        { V6(32, 0x20, 0x01, 0x0d, 0xb8), ADDRESS_PRIVATE }, /* documentation */
        { V6(20, 0x3f, 0xff), ADDRESS_PRIVATE },            /* documentation */
        { V6(23, 0x20, 0x01), ADDRESS_PRIVATE }, /* protocol assignments, Teredo among them */
        { V6(3, 0x20), ADDRESS_PUBLIC },                    /* all that is global unicast */
        { V6(0, 0), ADDRESS_PRIVATE },                      /* the rest is reserved */
};

/* Forms of IPv6 that carry an IPv4 address, and where. */
static const struct {
        AddressRange range;
        uint8_t offset;
        uint8_t mask; /* Teredo writes the client's address inverted */
} carriers[] = {
        { V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 12, 0 }, /* mapped */
        { V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0), 12, 0 }, /* translated, RFC 2765 */
        { V6(96, 0x00, 0x64, 0xff, 0x9b), 12, 0 }, /* NAT64 */
        { V6(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), 12, 0 }, /* NAT64, local prefixes */
        { V6(16, 0x20, 0x02), 2, 0 }, /* 6to4 */
        { V6(32, 0x20, 0x01, 0x00, 0x00), 12, 0xff }, /* Teredo */
        { V6(96, 0), 12, 0 }, /* compatible; after :: and ::1 */
};
/* clang-format on */

static unsigned bits_of(const Address *address) {
        return address->family == 4 ? 32 : 128;
}

static bool same_prefix(const Address *a, const Address *b, unsigned prefix) {
        unsigned whole = prefix / 8, rest = prefix % 8;
        uint8_t mask = (uint8_t)(0xff00U >> rest);

        if (a->family != b->family || memcmp(a->bytes, b->bytes, whole) != 0)
                return false;
        return rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & mask) == 0;
}

bool address_range_contains(const AddressRange *range, const Address *address) {
        return same_prefix(&range->address, address, range->prefix);
}

bool address_range_covers(const AddressRange *wide, const AddressRange *narrow) {
        return wide->prefix <= narrow->prefix && address_range_contains(wide, &narrow->address);
}

bool address_range_overlaps(const AddressRange *a, const AddressRange *b) {
        return same_prefix(&a->address, &b->address, a->prefix < b->prefix ? a->prefix : b->prefix);
}

bool address_range_is_single(const AddressRange *range) {
        return range->prefix == bits_of(&range->address);
}

bool address_equal(const Address *a, const Address *b) {
        return same_prefix(a, b, bits_of(a));
}

Address address_from_bytes(const void *bytes, size_t size) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        Address address = { .family = size == 4 ? 4 : 6 };

        assert(size == 4 || size == 16);
        if (size == 16 && memcmp(bytes, mapped, sizeof(mapped)) == 0)
                return address_from_bytes((const uint8_t *)bytes + sizeof(mapped), 4);
        memcpy(address.bytes, bytes, size);
        return address;
}

bool address_parse(const char *text, Address *ret_address) {
        char inner[ADDRESS_TEXT_SIZE];
        uint8_t bytes[16];
        size_t size = strlen(text);

        if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
                if (size - 2 >= sizeof(inner))
                        return false;
                memcpy(inner, text + 1, size - 2);
                inner[size - 2] = '\0';
                if (inet_pton(AF_INET6, inner, bytes) != 1)
                        return false;
                *ret_address = address_from_bytes(bytes, 16);
                return true;
        }
        if (inet_pton(AF_INET, text, bytes) == 1)
                *ret_address = address_from_bytes(bytes, 4);
        else if (inet_pton(AF_INET6, text, bytes) == 1)
                *ret_address = address_from_bytes(bytes, 16);
        else
                return false;
        return true;
}

void address_format(const Address *address, char ret_text[static ADDRESS_TEXT_SIZE]) {
        if (inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, ret_text,
                    ADDRESS_TEXT_SIZE) == NULL)
                ret_text[0] = '\0';
}

static bool clear_host_bits(AddressRange *range) {
        bool had = false;

        for (unsigned bit = range->prefix; bit < bits_of(&range->address); bit++) {
                uint8_t mask = (uint8_t)(0x80U >> (bit % 8));

                had = had || (range->address.bytes[bit / 8] & mask) != 0;
                range->address.bytes[bit / 8] &= (uint8_t)~mask;
        }
        return had;
}

bool address_range_parse(const char *text, AddressRange *ret_range, bool *ret_host_bits) {
        const char *slash = strchr(text, '/');
        size_t size = slash != NULL ? (size_t)(slash - text) : strlen(text);
        char address[ADDRESS_TEXT_SIZE];
        AddressRange range;
        uint64_t prefix;
        bool mapped;

        if (size >= sizeof(address) || text[0] == '[')
                return false;
        memcpy(address, text, size);
        address[size] = '\0';
        if (!address_parse(address, &range.address))
                return false;
        /* "::ffff:10.0.0.0/104" counts its bits from the front of the IPv6 form */
        mapped = range.address.family == 4 && strchr(address, ':') != NULL;
        prefix = mapped ? 128 : bits_of(&range.address);
        if (slash != NULL && !number_parse(slash + 1, strlen(slash + 1), prefix, &prefix))
                return false;
        if (mapped && prefix < 96)
                return false;
        range.prefix = (uint8_t)(mapped ? prefix - 96 : prefix);
        *ret_host_bits = clear_host_bits(&range);
        *ret_range = range;
        return true;
}

void address_range_format(const AddressRange *range, char *ret_text, size_t room) {
        char address[ADDRESS_TEXT_SIZE];

        address_format(&range->address, address);
        if (address_range_is_single(range))
                (void)snprintf(ret_text, room, "%s", address);
        else
                (void)snprintf(ret_text, room, "%s/%u", address, range->prefix);
}

static AddressClass look_up(const Address *address) {
        for (size_t i = 0; i < sizeof(specials) / sizeof(*specials); i++)
                if (address_range_contains(&specials[i].range, address))
                        return specials[i].class;
        return ADDRESS_PUBLIC;
}

AddressClass address_class(const Address *address) {
        AddressClass class = look_up(address);

        if (address->family == 4 || address_class_forbidden(class))
                return class;
        for (size_t i = 0; i < sizeof(carriers) / sizeof(*carriers); i++) {
                Address carried = { .family = 4 };

                if (!address_range_contains(&carriers[i].range, address))
                        continue;
                for (size_t byte = 0; byte < 4; byte++)
                        carried.bytes[byte] =
                                address->bytes[carriers[i].offset + byte] ^ carriers[i].mask;
                return look_up(&carried);
        }
        return class;
}

const char *address_class_name(AddressClass class) {
        static const char *const names[] = { NULL, "public", "private", "unspecified", "loopback",
                "link-local", "cloud metadata", "multicast", "broadcast" };

        assert(class >= ADDRESS_PUBLIC && class <= ADDRESS_BROADCAST);
        return names[class];
}

bool address_class_forbidden(AddressClass class) {
        return class >= ADDRESS_UNSPECIFIED;
}

AddressClass address_range_forbidden(const AddressRange *range) {
        for (size_t i = 0; i < sizeof(specials) / sizeof(*specials); i++) {
                const AddressRange *special = &specials[i].range;
                /* a provider's range may well have its metadata service inside: that one address is
                 * refused when it is met */
                bool metadata = specials[i].class == ADDRESS_METADATA;

                if (!address_class_forbidden(specials[i].class))
                        continue;
                if (metadata ? address_range_covers(special, range)
                             : address_range_overlaps(special, range))
                        return specials[i].class;
        }
        return 0;
}
