#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"

namespace sbx::runtime {

/// The binds and volumes that the containers of --volumes-from mount, whether these run or not. Of two at one place the
/// first counts. kNotFound for a container that is not there.
Result<std::vector<oci::SpecMount>> mounts_of_others(const std::string& data_root,
                                                     const std::vector<std::string>& texts);

/// What a container passes on of its mounts. Pure.
std::vector<oci::SpecMount> mounts_to_pass_on(const oci::RuntimeSpec& spec,
                                              std::optional<bool> read_only);

}  // namespace sbx::runtime
