#pragma once

#include <string>

#include "base/result.hpp"

namespace sbx::runtime {

/// rm -rf of one container's directory. What the kernel's overlay wrote there for other ids of the sandbox, only they can remove: that
/// is done in `user_namespace`, or, if that is -1, in a new one with all ids that the machine grants. The caller must have one thread.
Result<void> remove_container_tree(int containers, const std::string& id, int user_namespace = -1);

}  // namespace sbx::runtime
