// A SIF: what is accepted lies inside of the file.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "harness.hpp"
#include "image/sif.hpp"
#include "sys/fd.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sbx::sys::Fd file(::memfd_create("sif", MFD_CLOEXEC));
  SBX_ASSERT(::write(file.get(), data, size) == static_cast<ssize_t>(size));
  (void)sbx::image::is_sif(file.get());
  const auto sif = sbx::image::read_sif(file.get(), size, "input");
  if (sif) {
    for (const sbx::image::FileRange& range : {sif->root, sif->oci_config}) {
      SBX_ASSERT(range.offset <= size && range.size <= size - range.offset);
    }
  }
  return 0;
}
