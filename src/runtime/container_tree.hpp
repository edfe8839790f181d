#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "sys/lock.hpp"

namespace sbx::runtime {

/// Frees a name if it leads to this container; a name without a container is freed by the next sweep.
void free_name(int names, const std::string& id, const std::string& name);
/// The name stands in the state, but a container that died early has none: looks at all names.
void free_names_of(int names, const std::string& id);

/// A new user namespace with all ids that the machine grants us. The caller must have one thread.
Result<sys::Fd> namespace_of_all_ids();

/// rm -rf of `name` in `dir`, also of what other ids of a sandbox own: as the invoker, and where that is not allowed in
/// `user_namespace`, or, if that is -1, in a new one with all ids that the machine grants. The caller must have one thread.
Result<void> remove_foreign_tree(int dir, const std::string& name, int user_namespace = -1);

/// rm -rf of one container's directory. What the kernel's overlay wrote there for other ids of the sandbox, only they can remove: that
/// is done in `user_namespace`, or, if that is -1, in a new one with all ids that the machine grants. The caller must have one thread.
///
/// `lock` is what the caller holds of the container, and is let go last if need be: NFS keeps the name of what is open.
Result<void> remove_container_tree(int containers, const std::string& id,
                                   std::optional<sys::FileLock>& lock, int user_namespace = -1);

}  // namespace sbx::runtime
