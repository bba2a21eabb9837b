/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/address.h"

#include "tests/helpers/unit.h"

#include <string.h>

static void names_the_class(void **state) {
        static const struct {
                const char *text;
                AddressClass class;
        } addresses[] = {
                { "8.8.8.8", ADDRESS_PUBLIC },
                { "1.0.0.0", ADDRESS_PUBLIC },
                { "11.0.0.1", ADDRESS_PUBLIC },
                { "172.15.255.255", ADDRESS_PUBLIC },
                { "172.32.0.0", ADDRESS_PUBLIC },
                { "100.63.255.255", ADDRESS_PUBLIC },
                { "100.128.0.0", ADDRESS_PUBLIC },
                { "198.20.0.0", ADDRESS_PUBLIC },
                { "2606:4700::1", ADDRESS_PUBLIC },
                { "10.0.0.1", ADDRESS_PRIVATE },
                { "172.16.0.1", ADDRESS_PRIVATE },
                { "172.31.255.255", ADDRESS_PRIVATE },
                { "192.168.255.255", ADDRESS_PRIVATE },
                { "100.64.0.1", ADDRESS_PRIVATE },
                { "100.127.255.255", ADDRESS_PRIVATE },
                { "192.0.2.1", ADDRESS_PRIVATE },
                { "198.51.100.1", ADDRESS_PRIVATE },
                { "203.0.113.1", ADDRESS_PRIVATE },
                { "198.18.0.1", ADDRESS_PRIVATE },
                { "198.19.255.255", ADDRESS_PRIVATE },
                { "240.0.0.1", ADDRESS_PRIVATE },
                { "fc00::1", ADDRESS_PRIVATE },
                { "fdff::1", ADDRESS_PRIVATE },
                { "fec0::1", ADDRESS_PRIVATE },
                { "2001:db8::1", ADDRESS_PRIVATE },
                { "100::1", ADDRESS_PRIVATE },
                { "4000::1", ADDRESS_PRIVATE },
                { "0.0.0.0", ADDRESS_UNSPECIFIED },
                { "0.1.2.3", ADDRESS_UNSPECIFIED },
                { "::", ADDRESS_UNSPECIFIED },
                { "127.0.0.1", ADDRESS_LOOPBACK },
                { "127.255.255.255", ADDRESS_LOOPBACK },
                { "::1", ADDRESS_LOOPBACK },
                { "169.254.169.254", ADDRESS_LINK_LOCAL },
                { "169.254.0.1", ADDRESS_LINK_LOCAL },
                { "fe80::1", ADDRESS_LINK_LOCAL },
                { "febf::1", ADDRESS_LINK_LOCAL },
                { "100.100.100.200", ADDRESS_METADATA },
                { "168.63.129.16", ADDRESS_METADATA },
                { "fd00:ec2::254", ADDRESS_METADATA },
                { "224.0.0.1", ADDRESS_MULTICAST },
                { "239.255.255.255", ADDRESS_MULTICAST },
                { "ff02::1", ADDRESS_MULTICAST },
                { "255.255.255.255", ADDRESS_BROADCAST },
        };

        for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
                Address address;

                assert_true(address_parse(addresses[i].text, &address));
                if (address_class(&address) != addresses[i].class)
                        fail_msg("%s is %s", addresses[i].text,
                                address_class_name(address_class(&address)));
        }
}

/* Ways to write a forbidden or private IPv4 address as IPv6. */
static void looks_inside_carriers(void **state) {
        static const struct {
                const char *text;
                AddressClass class;
        } addresses[] = {
                { "::ffff:10.0.0.1", ADDRESS_PRIVATE }, { "::ffff:127.0.0.1", ADDRESS_LOOPBACK },
                { "::ffff:169.254.169.254", ADDRESS_LINK_LOCAL },
                { "::ffff:8.8.8.8", ADDRESS_PUBLIC }, { "::ffff:0:10.0.0.1", ADDRESS_PRIVATE },
                { "::127.0.0.1", ADDRESS_LOOPBACK }, { "::10.0.0.1", ADDRESS_PRIVATE },
                { "64:ff9b::127.0.0.1", ADDRESS_LOOPBACK },
                { "64:ff9b::169.254.169.254", ADDRESS_LINK_LOCAL },
                { "64:ff9b::8.8.8.8", ADDRESS_PUBLIC }, { "64:ff9b:1::10.0.0.1", ADDRESS_PRIVATE },
                { "2002:7f00:1::", ADDRESS_LOOPBACK }, { "2002:a9fe:a9fe::1", ADDRESS_LINK_LOCAL },
                { "2002:a00:1::1", ADDRESS_PRIVATE }, { "2002:808:808::1", ADDRESS_PUBLIC },
                { "2001:0:808:808::f5ff:fffe", ADDRESS_PRIVATE },  /* Teredo, 10.0.0.1 inverted */
                { "2001:0:808:808::80ff:fffe", ADDRESS_LOOPBACK }, /* 127.0.0.1 inverted */
        };

        for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
                Address address;

                assert_true(address_parse(addresses[i].text, &address));
                if (address_class(&address) != addresses[i].class)
                        fail_msg("%s is %s", addresses[i].text,
                                address_class_name(address_class(&address)));
        }
}

static void reads_plain_forms_only(void **state) {
        static const char *const wrong[] = { "", "10", "10.1", "10.0.0", "10.0.0.0.1", "010.0.0.1",
                "10.0.0.01", "0x7f000001", "2130706433", "10.0.0.256", " 10.0.0.1", "10.0.0.1 ",
                "10.0.0.1/8", "fe80::1%eth0", "[10.0.0.1]", "[::1", "::1]", "1::2::3",
                ":::", "12345::", "[]", "[[::1]]", "localhost" };
        Address address = { .family = 9 };

        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
                if (address_parse(wrong[i], &address))
                        fail_msg("'%s' was taken for an address", wrong[i]);
        assert_int_equal(address.family, 9);
}

static void writes_one_form(void **state) {
        static const char *const pairs[][2] = {
                { "10.0.0.1", "10.0.0.1" },
                { "2001:DB8:0:0::1", "2001:db8::1" },
                { "[::1]", "::1" },
                { "::ffff:10.0.0.1", "10.0.0.1" },
        };

        for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
                char text[ADDRESS_TEXT_SIZE];
                Address address;

                assert_true(address_parse(pairs[i][0], &address));
                address_format(&address, text);
                assert_string_equal(text, pairs[i][1]);
        }
}

static AddressRange range_of(const char *text) {
        AddressRange range;
        bool host_bits;

        assert_true(address_range_parse(text, &range, &host_bits));
        return range;
}

static bool contains(const char *range_text, const char *address_text) {
        AddressRange range = range_of(range_text);
        Address address;

        assert_true(address_parse(address_text, &address));
        return address_range_contains(&range, &address);
}

static void knows_its_ranges(void **state) {
        assert_true(contains("10.0.0.0/8", "10.255.255.255"));
        assert_false(contains("10.0.0.0/8", "11.0.0.0"));
        assert_true(contains("10.1.2.3/31", "10.1.2.2"));
        assert_false(contains("10.1.2.3/31", "10.1.2.4"));
        assert_true(contains("10.1.2.3", "10.1.2.3"));
        assert_false(contains("10.1.2.3", "10.1.2.2"));
        assert_true(contains("0.0.0.0/0", "1.2.3.4"));
        assert_false(contains("0.0.0.0/0", "2001:db8::1"));
        assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
        assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
        /* an IPv4 range in its mapped form is the IPv4 range */
        assert_true(contains("::ffff:10.0.0.0/104", "10.9.9.9"));
        assert_true(contains("10.0.0.0/8", "::ffff:10.9.9.9"));
}

static void compares_ranges(void **state) {
        AddressRange eight = range_of("10.0.0.0/8"), sixteen = range_of("10.9.0.0/16"),
                     other = range_of("11.0.0.0/8");

        assert_true(address_range_covers(&eight, &sixteen));
        assert_false(address_range_covers(&sixteen, &eight));
        assert_true(address_range_overlaps(&sixteen, &eight));
        assert_false(address_range_overlaps(&other, &eight));
        assert_false(address_range_is_single(&sixteen));
        sixteen = range_of("10.9.9.9");
        assert_true(address_range_is_single(&sixteen));
}

static void takes_bytes_of_a_resolver(void **state) {
        static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
        Address four = address_from_bytes("\x7f\0\0\1", 4), six = address_from_bytes(mapped, 16);

        assert_int_equal(four.family, 4);
        assert_true(address_equal(&four, &six));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_the_class),
                cmocka_unit_test(looks_inside_carriers),
                cmocka_unit_test(reads_plain_forms_only),
                cmocka_unit_test(writes_one_form),
                cmocka_unit_test(knows_its_ranges),
                cmocka_unit_test(compares_ranges),
                cmocka_unit_test(takes_bytes_of_a_resolver),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
