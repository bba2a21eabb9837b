/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A page of a private mapping that nobody could write to is a page of the page cache: MADV_DONTNEED
 * takes it out of the process's tables and loses nothing. Relocated constants (RELRO) are written
 * pages, and stay: they lie in the segments with PF_W.
 */
#include "base/memory.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int let_go(struct dl_phdr_info *object, size_t size, void *context) {
        const uintptr_t *page = context;

        for (size_t i = 0; i < object->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
                uintptr_t start = object->dlpi_addr + segment->p_vaddr;
                uintptr_t end = start + segment->p_memsz;

                if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
                        continue;
                start &= ~(*page - 1);
                /* The last page may be of the next segment too, where the linker did not separate
                 * them. */
                end &= ~(*page - 1);
                if (end > start)
                        /* NOLINTNEXTLINE(performance-no-int-to-ptr): addresses of the program
                         * headers are numbers */
                        (void)madvise((void *)start, end - start, MADV_DONTNEED);
        }
        return 0;
}

void memory_let_go_of_code(void) {
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

        (void)dl_iterate_phdr(let_go, &page);
}
