#pragma once

// Names of containers: symlinks names/NAME -> ID. A name belongs to the container that says so of itself: its file `name`, which a
// renamed one has, or else its state.json.

#include <string>

#include "base/result.hpp"

namespace sbx::runtime {

/// Docker's grammar, [a-zA-Z0-9][a-zA-Z0-9_.-]*; a name is also that of a file.
Result<void> check_container_name(const std::string& name);

/// Takes a name that is free, or that a killed rename left to a container of another name. kAlreadyExists if it is taken.
Result<void> claim_name(int containers, int names, const std::string& name, const std::string& id);

/// The name that a container has now; `stated` is what its state says.
[[nodiscard]] std::string current_name(int containers, const std::string& id,
                                       const std::string& stated);

/// Gives a container another name, whether it runs or not; never does it have none. Safe against kill -9 and other renames.
/// kAlreadyExists if the name is taken or is its own, kNotFound if the container is gone.
Result<void> rename_container(const std::string& data_root, const std::string& id,
                              const std::string& new_name);

}  // namespace sbx::runtime
