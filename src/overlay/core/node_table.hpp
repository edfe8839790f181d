#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "overlay/core/dir_index.hpp"
#include "overlay/core/fd_cache.hpp"
#include "overlay/core/lower.hpp"
#include "overlay/core/types.hpp"

namespace sbx::overlay {

/// A file that is not, or not only, a file of the lower tree as it lies there: it has something in the
/// upper directory, or it was removed while somebody uses it. Files that are only in the lower tree have
/// no Node. Fields are read under the tree lock and changed under it held exclusively.
struct Node {
  /// A name: an entry of `dir`'s index.
  struct Link {
    Node* dir;
    std::string name;
  };

  NodeId id;
  std::uint64_t ino = 0;  // as served, for ever
  /// Directory: the lower directory that shows through. Else: the lower file it was copied from, which
  /// has the data while `metacopy`.
  LowerPin lower;
  /// Known names. None for the root, and for what was removed. Directories have one.
  std::vector<Link> links;

  // As stored: what the sandbox wished, not what it is shown (IdView).
  std::uint32_t mode = 0;
  Owner owner;
  std::uint64_t rdev = 0;

  std::uint64_t host_ino = 0;  // of the file in the upper directory
  bool has_upper = false;
  bool metacopy = false;
  /// Metacopy: some data may be on disk already; what is a hole there, up to `below`, still is the lower file's.
  bool partial = false;
  bool below_stored = false;  // `below` is on disk, if it is less than the lower file has
  std::uint64_t below = 0;    // bytes; never more than the file's size
  bool by_name =
      false;  // no file that can be opened: a symlink on disk, in the native form a device too
  bool marked = false;       // directory: whiteouts may be in the xattr form
  bool interrupted = false;  // directory: a change of it was cut short before our time
  bool moved =
      false;  // directory: its lower one lies at another path; only we know, so never forgotten
  bool has_strangers =
      false;  // file: has lower names nobody has met; only we know that they are its, so never forgotten
  bool removed = false;  // it has no name any more

  std::unique_ptr<DirIndex> index;  // directories with has_upper; null: not read yet

  FdRef pinned;           // removed: the open file, as no path leads to it
  std::string work_name;  // a name in the work directory instead, counted in the link count on disk
  std::unique_ptr<Attr> last;            // removed, and nothing on disk: what stat(2) says
  std::unique_ptr<struct stat> on_disk;  // about to lose its last name there, under a quota

  std::atomic<std::uint64_t> lookups =
      0;                       // for ids above kLastLowerId; the Lower counts the others
  std::uint32_t children = 0;  // nodes with a link in this directory
};

/// The nodes in memory. Not safe from several threads by itself.
class NodeTable {
 public:
  [[nodiscard]] Node* find(NodeId id) const;
  /// Makes a node with this id, which must be free.
  Node& add(NodeId id);
  /// Makes a node with an id of its own.
  Node& add_new() { return add(NodeId(next_id_++)); }
  void erase(Node& node);

  /// Files of several names are found by the inode number on disk, so that all names lead to one node.
  [[nodiscard]] Node* find_linked(std::uint64_t host_ino) const;
  void set_linked(Node& node) { linked_[node.host_ino] = &node; }

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// Gives room back that was needed for more nodes than there are.
  void shrink() {
    nodes_.rehash(0);
    linked_.rehash(0);
  }

 private:
  std::unordered_map<std::uint64_t, std::unique_ptr<Node>> nodes_;
  std::unordered_map<std::uint64_t, Node*> linked_;
  std::uint64_t next_id_ = kLastLowerId + 1;
};

}  // namespace sbx::overlay
