# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 4: system calls, tried from inside a session by number."""
import errno
import os

import pytest

EPERM, ENOSYS = errno.EPERM, errno.ENOSYS

# Name -> number: (x86-64, arm64).
NUMBERS = {
    "ptrace": (101, 117), "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97), "clone": (56, 220), "setns": (308, 268), "bpf": (321, 280),
    "userfaultfd": (323, 282), "clone3": (435, 435), "socket": (41, 198), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "execveat": (322, 281), "seccomp": (317, 277),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "ioctl": (16, 29), "memfd_create": (319, 279), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "mount_setattr": (442, 442), "pivot_root": (155, 41), "chroot": (161, 51), "kexec_load": (246, 104),
    "init_module": (175, 105), "finit_module": (313, 273), "quotactl": (179, 60), "swapon": (167, 224), "open_by_handle_at": (304, 265),
}
COLUMN = 0 if os.uname().machine == "x86_64" else 1

PROBE = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(*(ctypes.c_long(int(word)) for word in sys.argv[1:]))
print(ctypes.get_errno() if result < 0 else 0)
"""

AF_NETLINK, AF_PACKET, AF_BLUETOOTH, AF_ALG, AF_VSOCK, AF_XDP = 16, 17, 31, 38, 40, 44
SOCK_RAW, SOCK_DGRAM = 3, 2
CLONE_NEWUSER = 0x10000000
ONE_HIGH = 1 << 32


def call(pod, name: str, *arguments) -> int:
    """The errno of the call, 0 when it was done."""
    result = pod.python(PROBE, str(NUMBERS[name][COLUMN]), *map(str, arguments), *["0"] * (6 - len(arguments)))
    return int(result.out)


@pytest.mark.parametrize("row, name, arguments", [
    ("SC1", "ptrace", (0,)),
    ("SC2", "mount", (0, 0, 0, 0, 0)),
    ("SC2", "umount2", (0, 0)),
    ("SC2", "open_tree", (-100, 0, 0)),
    ("SC2", "move_mount", (-1, 0, -1, 0, 0)),
    ("SC2", "fsopen", (0, 0)),
    ("SC2", "mount_setattr", (-100, 0, 0, 0, 0)),
    ("SC2", "pivot_root", (0, 0)),
    ("SC2", "chroot", (0,)),
    ("SC3", "unshare", (CLONE_NEWUSER,)),
    ("SC3", "unshare", (ONE_HIGH | CLONE_NEWUSER,)),
    ("SC4", "clone", (CLONE_NEWUSER | 17,)),
    ("SC4", "clone", (ONE_HIGH | CLONE_NEWUSER | 17,)),
    ("SC5", "setns", (-1, 0)),
    ("SC6", "bpf", (0, 0, 0)),
    ("SC7", "userfaultfd", (0,)),
    ("SC7", "userfaultfd", (1,)),
    ("SC9", "socket", (AF_PACKET, SOCK_RAW, 0)),
    ("SC9", "socket", (AF_BLUETOOTH, SOCK_RAW, 0)),
    ("SC9", "socket", (AF_VSOCK, 1, 0)),
    ("SC9", "socket", (ONE_HIGH | AF_PACKET, SOCK_RAW, 0)),
    ("SC10", "socket", (AF_NETLINK, SOCK_RAW, 12)),
    ("SC11", "process_vm_readv", (0, 0, 0, 0, 0, 0)),
    ("SC11", "process_vm_writev", (0, 0, 0, 0, 0, 0)),
    ("SC11", "pidfd_getfd", (-1, 0, 0)),
    ("SC11", "perf_event_open", (0, 0, -1, -1, 0)),
    ("SC11", "io_uring_setup", (1, 0)),
    ("SC15", "socket", (AF_ALG, 5, 0)),
    ("SC15", "socket", (AF_XDP, SOCK_RAW, 0)),
    ("SC15", "keyctl", (0, 0, 0)),
    ("SC15", "add_key", (0, 0, 0, 0, 0)),
    ("SC15", "request_key", (0, 0, 0, 0)),
    ("SC15", "kexec_load", (0, 0, 0, 0)),
    ("SC15", "init_module", (0, 0, 0)),
    ("SC15", "finit_module", (-1, 0, 0)),
    ("SC15", "open_by_handle_at", (-1, 0, 0)),
])
def test_SC1_to_SC15_denied(pod, row, name, arguments):
    assert call(pod, name, *arguments) == EPERM


def test_SC1_the_same_calls_reach_the_kernel_without_us(pod):
    """The rows above can fail: outside the sandbox the kernel answers with other errors, or does it."""
    number = str(NUMBERS["ptrace"][COLUMN])
    outside = pod.podman_exec("workload", "python3", "-c", PROBE, number, *["0"] * 6, user="sandbox")
    assert outside.stdout == "0\n"


def test_SC8_clone3_and_threads(pod):
    assert call(pod, "clone3", 0, 0) == ENOSYS
    program = ("import subprocess, threading\nt = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
               "print(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout, end='')")
    assert pod.python(program).out.split() == ["thread", "child"]


def test_SC10_netlink_for_addresses(pod):
    assert call(pod, "socket", AF_NETLINK, SOCK_RAW, 0) == 0
    assert "1: lo" in pod.run("ip", "address").out
    assert pod.python("import socket; print(socket.if_nameindex())").out == "[(1, 'lo')]\n"


def test_SC12_execveat(pod):
    program = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
null = ctypes.c_char_p(None)
argv = (ctypes.c_char_p * 2)(b"echo", None)
fd = os.open("/usr/bin/echo", os.O_RDONLY)
print(libc.syscall(%d, fd, b"", argv, None, 0x1000), ctypes.get_errno(), flush=True)
argv = (ctypes.c_char_p * 3)(b"echo", b"ran", None)
libc.syscall(%d, -100, b"/usr/bin/echo", argv, None, 0)
""" % ((NUMBERS["execveat"][COLUMN],) * 2)
    assert pod.python(program).out.split() == ["-1", str(EPERM), "ran"]


def test_SC13_own_filters(pod):
    program = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
allow = (ctypes.c_uint16 * 4)(0x06, 0, 0, 0x7fff)  # BPF_RET | BPF_K, SECCOMP_RET_ALLOW
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(1, ctypes.addressof(allow))
for flags in (8, 0):
    result = libc.syscall(%d, 1, flags, ctypes.byref(program))
    print(ctypes.get_errno() if result < 0 else 0)
""" % NUMBERS["seccomp"][COLUMN]
    assert pod.python(program).out.split() == [str(EPERM), "0"]


MACHINE_CODE = """
import ctypes, mmap, sys
code = bytes.fromhex(sys.argv[1])
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
function = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print("called", flush=True)
print(function(), flush=True)
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x32 and i386 system calls exist on x86-64 alone")
@pytest.mark.parametrize("code", [
    "b827000040" "0f05" "c3",  # mov eax, 0x40000000 | getpid; syscall
    "b814000000" "cd80" "c3",  # mov eax, getpid of i386; int 0x80
])
def test_SC14_other_architectures(pod, code):
    result = pod.python(MACHINE_CODE, code)
    lines = result.out.split()
    assert lines[0] == "called"
    # -ENOSYS, as 64 or as 32 bits; or the process is gone.
    assert lines[1:] in ([str(-ENOSYS)], [str(2**32 - ENOSYS)]) or result.code in (128 + 31, 128 + 9, 128 + 11)


@pytest.mark.parametrize("request_number", [0x5412, 0x541C])
@pytest.mark.parametrize("high", [0, ONE_HIGH, 1 << 63])
def test_SC16_terminal_injection(pod, request_number, high):
    program = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
character = ctypes.create_string_buffer(b"x")
number = int(sys.argv[2])
result = libc.syscall(ctypes.c_long(int(sys.argv[1])), ctypes.c_long(0), ctypes.c_long(number - 2**64 if number >= 2**63 else number), character)
print("errno", ctypes.get_errno() if result < 0 else 0)
"""
    result = pod.python(program, str(NUMBERS["ioctl"][COLUMN]), str(request_number | high), tty=True)
    assert f"errno {EPERM}" in result.out


@pytest.mark.parametrize("flags", [0, 1, 8])
def test_SC17_memfd_create(pod, flags):
    program = ("import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.syscall(%d, b'x', %d) >= 0)"
               % (NUMBERS["memfd_create"][COLUMN], flags))
    assert pod.python(program).out == "True\n"
