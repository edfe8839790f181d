#pragma once

// What a file system does, in a few lines and in memory: the reference that overlay/core is compared with.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/core/types.hpp"

namespace sbx::overlay::test {

struct ModelNode;
// Shared: a file has several names, and lives on without any while the test holds it.
using ModelRef = std::shared_ptr<ModelNode>;

struct ModelNode {
  std::uint32_t mode = 0;
  Owner owner;
  std::uint64_t rdev = 0;
  std::string content;  // of a file; target of a symlink
  std::map<std::string, std::string> xattrs;
  std::map<std::string, ModelRef> entries;
  std::optional<std::int64_t> mtime;  // if it is known to the second
  std::uint32_t names = 0;
  std::uint64_t ino = 0;  // as first seen; 0: not yet

  [[nodiscard]] bool is_dir() const;
  [[nodiscard]] std::uint32_t type() const;
  [[nodiscard]] std::uint32_t nlink() const;
};

/// Operations return an errno, 0 for success, and take paths as lists of names.
class Model {
 public:
  Model();

  [[nodiscard]] const ModelRef& root() const { return root_; }
  /// Null if it is not there.
  [[nodiscard]] ModelRef find(const std::vector<std::string>& path) const;

  static int create(ModelNode& dir, const std::string& name, ModelRef node);
  static int link(const ModelRef& node, ModelNode& dir, const std::string& name);
  static int unlink(ModelNode& dir, const std::string& name);
  static int remove_dir(ModelNode& dir, const std::string& name);
  static int rename(const ModelRef& from_dir, const std::string& from, const ModelRef& to_dir,
                    const std::string& to, unsigned flags);
  static void write(ModelNode& node, std::size_t offset, std::string_view data);
  static void truncate(ModelNode& node, std::size_t size);
  static void chown(ModelNode& node, Owner owner);

  /// All paths, the root's (empty) first.
  [[nodiscard]] std::vector<std::vector<std::string>> paths() const;

 private:
  ModelRef root_;
};

ModelRef make_model_node(std::uint32_t mode, Owner owner = {}, std::string content = {});

}  // namespace sbx::overlay::test
