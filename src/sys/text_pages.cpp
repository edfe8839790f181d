#include "sys/text_pages.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace sbx::sys {
namespace {

/// Segments that are never written: their pages are the file's. What the loader relocates (RELRO) lies in a writable
/// segment and is left alone.
int drop_object(dl_phdr_info* object, std::size_t, void*) noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) {
      continue;
    }
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // A refusal costs memory, nothing else.
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT
  }
  return 0;
}

}  // namespace

void drop_text_pages() noexcept { (void)::dl_iterate_phdr(drop_object, nullptr); }

}  // namespace sbx::sys
