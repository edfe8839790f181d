#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/store.hpp"

namespace sbx::store {

/// A directory of the store for files that are not complete or not checked yet. What was not published is
/// gone at the end of its life; what a killed process left is collected with the garbage, because a
/// Staging holds the store's use lock.
class Staging {
 public:
  /// `store` must outlive the staging.
  static Result<Staging> open(const Store& store);
  ~Staging();
  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// A new empty file, open for reading and writing.
  Result<sys::Fd> create(const std::string& name);
  /// A file without a name, open for reading and writing: gone when it is closed.
  Result<sys::Fd> create_unnamed();
  /// Syncs a file made by create() and remembers to publish it as a blob; one that is there already wins.
  Result<void> add_blob(const sys::Fd& file, const std::string& name,
                        const oci::DigestBytes& digest);
  /// As add_blob, but a tree that is there is replaced: it could be damaged or of another version.
  Result<void> add_tree(const sys::Fd& file, const std::string& name, const oci::ChainId& chain);
  /// A small blob, from memory; nothing if the store has it.
  Result<void> add_blob(std::string_view data, const oci::DigestBytes& digest);

  /// Moves everything that was added into its place, durably. All or nothing is what index.json decides afterwards.
  Result<void> publish();

 private:
  struct Move {
    std::string from;
    std::string to;
    unsigned flags;  // of renameat2(2)
  };
  Staging(const Store& store, sys::FileLock lock, std::string name)
      : store_(&store), lock_(std::move(lock)), name_(std::move(name)) {}
  [[nodiscard]] std::string path(const std::string& name) const { return name_ + "/" + name; }

  const Store* store_;
  sys::FileLock lock_;
  std::string name_;  // "staging/..."; empty if moved from
  std::vector<Move> moves_;
};

}  // namespace sbx::store
