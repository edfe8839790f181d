#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "layer/compression.hpp"
#include "layer/image_tree.hpp"
#include "sys/fd.hpp"

namespace sbx::layer {

struct SquashWriting {
  Compression compression = Compression::kZstd;
  unsigned threads = 1;  // that compress
  /// Files put into a directory of the tree, over what is there by that name: root's, mode 0644, with the directory's time.
  struct Extra {
    TreeIno directory = kNoInode;
    std::string name;
    std::string text;
  };
  std::vector<Extra> extras;
};

/// Writes a tree as a squashfs 4.0 with blocks of 128 KiB: owners, modes, hard links, devices, xattrs (user, trusted, security: others
/// have no place in a squashfs), holes; times in whole seconds from 1970 to 2106. The same tree makes the same bytes.
/// `layers` as for ImageTree::read(). `fd` must be an empty regular file open for reading and writing; `name` is for errors.
Result<void> write_squash(const ImageTree& tree, std::span<const sys::Fd> layers,
                          const SquashWriting& writing, int fd, std::string_view name);

}  // namespace sbx::layer
