#pragma once

#include <string>

#include "base/result.hpp"
#include "runtime/containers.hpp"

namespace sbx::runtime {

struct FileCopy {
  std::string data_root;
  std::string container;  // name, id or its beginning
  std::string inside;     // a path in the container
  std::string outside;    // a path of the host; "-": an archive by a standard stream
  bool follow = false;    // a symlink that is the source: what it leads to
  bool owners = false;    // are kept, where they may be given
};

/// `sbx cp` into a container, and out of it. Rules: src/copy/receiver.hpp.
Result<void> copy_in(const FileCopy& copy);
Result<void> copy_out(const FileCopy& copy);

}  // namespace sbx::runtime
