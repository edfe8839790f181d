#pragma once

// What the parsers of mounts have in common. `flag` and `text` are for errors: "--mount", and what stood behind it.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"

namespace sbx::runtime {

[[nodiscard]] Error bad_mount(std::string_view flag, const std::string& text, std::string reason);
[[nodiscard]] std::vector<std::string> split_text(std::string_view text, char separator);

/// ro, rw, nosuid, suid, nodev, dev, noexec, exec.
[[nodiscard]] bool is_switch(std::string_view option);

/// The cleaned path; kInvalidArgument if it is relative or the root.
Result<std::string> read_destination(std::string_view flag, const std::string& text,
                                     const std::string& destination);

/// [r]private, [r]slave. False if `option` is no such word; kUnsupported for [r]shared.
Result<bool> add_propagation(std::string_view flag, const std::string& text,
                             const std::string& option, oci::SpecMount& mount);

/// A switch or KEY=VALUE of a tmpfs. False if there is none of that name.
Result<bool> add_tmpfs_option(std::string_view flag, const std::string& text,
                              const std::string& option, oci::SpecMount& mount);

/// An empty one with docker's default options.
[[nodiscard]] oci::SpecMount new_tmpfs(std::string destination);

}  // namespace sbx::runtime
