#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "layer/archive_member.hpp"

namespace sbx::layer {

/// Writes a tar to a descriptor with nothing but system calls: for processes inside of a container, where libarchive would load
/// character sets (iconv(3)) from the image. ustar, with a PAX header for what that has no room for: long names, large numbers,
/// fractions of seconds, extended attributes. Names are bytes.
class TarWriter {
 public:
  /// `fd` must outlive the writer; `name` is for errors.
  TarWriter(int fd, std::string name);

  /// The next member; exactly `size` bytes are to follow, by write() or write_from(). kLimit for what no reader of ours would take.
  Result<void> begin(const ArchiveMember& member);
  Result<void> write(std::span<const std::byte> data);
  /// Up to `size` bytes of the regular file `fd`, from where it stands; without copying them where the kernel can. How many there were.
  Result<std::uint64_t> write_from(int fd, std::uint64_t size, std::string_view name);
  /// Zeros for all that the member still lacks.
  Result<void> fill();
  /// The end of the archive, and all of it on its way.
  Result<void> finish();

 private:
  Result<void> put(std::string_view bytes);
  Result<void> flush();
  Result<void> pad();

  int fd_;
  std::string name_;
  std::string buffer_;         // headers and short files
  std::uint64_t missing_ = 0;  // bytes that the member still needs
  std::size_t padding_ = 0;    // zeros behind it
};

/// The header blocks of a member, PAX and all. Pure. kLimit as above.
Result<std::string> format_tar_header(const ArchiveMember& member);

}  // namespace sbx::layer
