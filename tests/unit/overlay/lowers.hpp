#pragma once

#include <memory>
#include <string>

#include "model.hpp"
#include "overlay/core/lower_tree.hpp"

namespace sbx::overlay::test {

/// The model as an ImageTree whose one layer has the contents.
std::unique_ptr<Lower> tree_of(const Model& model);

/// Writes the model into a directory: types, modes, contents, times and user xattrs. Owners are ours, no devices.
void write_model(const Model& model, const std::string& directory);

}  // namespace sbx::overlay::test
