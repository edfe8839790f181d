#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sbx::overlay {

struct Node;

/// One name of an upper directory.
struct IndexEntry {
  std::string name;
  std::uint64_t sequence = 0;  // its place in the listing: never changes, never used twice
  Node* node = nullptr;        // if it is loaded
  std::uint64_t ino = 0;       // as served; 0: not known yet
  std::uint32_t type = 0;      // S_IFMT as served; 0: not known yet
  bool whiteout = false;
  bool in_lower = false;   // the merged lower directory has the name too: it is listed there
  bool hides_dir = false;  // ... and it is a directory there
  bool directory = false;
  bool gone = false;
};

/// All names that an upper directory has on disk, so that a lookup or a listing needs no system call. The
/// names of the lower directory are not here. Not safe from several threads by itself.
class DirIndex {
 public:
  /// `lower_subdirs`: how many subdirectories the merged lower directory has; negative: not known.
  explicit DirIndex(std::int64_t lower_subdirs) : lower_subdirs_(lower_subdirs) {}

  /// Null if it is not there. Valid until the next add().
  [[nodiscard]] IndexEntry* find(std::string_view name);
  [[nodiscard]] const IndexEntry* find(std::string_view name) const;
  /// Adds a name that is not there. `lower_type`: S_IFMT of the lower name it hides, 0 if none.
  IndexEntry& add(std::string_view name, std::uint32_t lower_type);
  /// Says what the name is now.
  void set_whiteout(IndexEntry& entry);
  void set_node(IndexEntry& entry, Node& node, std::uint64_t ino, std::uint32_t type);
  void set_kind(IndexEntry& entry, bool directory);
  void erase(IndexEntry& entry);

  /// Subdirectories that show, lower ones too; negative: not known.
  [[nodiscard]] std::int64_t subdirs() const {
    return lower_subdirs_ < 0 ? -1 : lower_subdirs_ - hidden_dirs_ + upper_dirs_;
  }
  /// Names that show and are not of the lower directory.
  [[nodiscard]] std::size_t visible() const { return by_name_.size() - whiteouts_; }
  [[nodiscard]] bool has_whiteouts() const { return whiteouts_ > 0; }

  /// The first entry after `sequence` that is there; null at the end.
  [[nodiscard]] IndexEntry* after(std::uint64_t sequence);

 private:
  void compact();

  std::deque<IndexEntry> entries_;  // by sequence; stable addresses while only growing
  std::unordered_map<std::string_view, IndexEntry*> by_name_;
  std::uint64_t next_sequence_ = 1;
  std::size_t whiteouts_ = 0;
  std::int64_t lower_subdirs_ = 0;
  std::int64_t hidden_dirs_ = 0;
  std::int64_t upper_dirs_ = 0;
};

}  // namespace sbx::overlay
