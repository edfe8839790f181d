#include "transfer/tree_archive.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/log.hpp"

namespace sbx::transfer {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

using overlay::Attr;
using overlay::Entry;
using overlay::NodeId;

/// The names of a directory, without "." and "..".
class Names final : public overlay::DirSink {
 public:
  bool take(std::string_view name, const Entry& /*entry*/, std::uint64_t /*next*/) override {
    if (name != "." && name != "..") {
      found_.emplace_back(name);
    }
    return true;
  }
  void restart() override { found_.clear(); }
  std::vector<std::string> sorted() && {
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  std::vector<std::string> found_;
};

class TreeWriter {
 public:
  TreeWriter(overlay::Overlay& tree, layer::ArchiveWriter& archive)
      : tree_(tree), archive_(archive), buffer_(kPieceBytes) {}

  Result<void> run() {
    SBX_TRY(enter(overlay::kRootNode, ""));
    while (!open_.empty()) {
      Directory& directory = open_.back();
      if (directory.next == directory.names.size()) {
        leave();
        continue;
      }
      const std::string name = directory.names[directory.next++];
      SBX_TRY(add(directory.id, name, directory.path + name));
    }
    return {};
  }

 private:
  /// A directory whose entries are being written; a stack of them, as a container can nest them deeper than our own stack goes.
  struct Directory {
    NodeId id;
    std::string path;  // empty, or ends in a slash
    std::vector<std::string> names;
    std::size_t next = 0;
  };

  static Error told(std::string_view what, const std::string& path, Errno why) {
    return Error::system(std::string(what), "/" + path, why.value());
  }

  Result<void> enter(NodeId id, std::string path) {
    Names names;
    if (const FsResult<void> listed = tree_.list(id, 0, overlay::ListKind::kPlain, names);
        !listed) {
      return fail(told("list", path, listed.error()));
    }
    open_.push_back({id, std::move(path), std::move(names).sorted()});
    return {};
  }

  void leave() {
    if (open_.back().id != overlay::kRootNode) {
      tree_.forget(open_.back().id, 1);
    }
    open_.pop_back();
  }

  Result<void> add(NodeId directory, const std::string& name, const std::string& path) {
    const FsResult<Entry> entry = tree_.lookup(directory, name);
    if (!entry) {
      return fail(told("look up", path, entry.error()));
    }
    const NodeId id = entry->id;
    if (id == NodeId{0}) {
      return {};
    }
    if (S_ISSOCK(entry->attr.mode)) {
      log::warn("'/{}' is a socket and is left out", printable(path));
    } else {
      SBX_TRY(write(id, entry->attr, path));
    }
    if (entry->attr.is_dir()) {
      return enter(id, path + "/");  // leave() forgets it
    }
    tree_.forget(id, 1);
    return {};
  }

  Result<void> write(NodeId id, const Attr& attr, const std::string& path) {
    layer::ArchiveMember member{.path = attr.is_dir() ? path + "/" : path,
                                .mode = attr.mode,
                                .uid = attr.owner.uid,
                                .gid = attr.owner.gid,
                                .mtime = attr.mtime,
                                .rdev = static_cast<dev_t>(attr.rdev)};
    if (!attr.is_dir() && attr.nlink > 1) {
      const auto [first, is_new] = first_names_.try_emplace(attr.ino, path);
      if (!is_new) {
        member.hard_link = first->second;
        return archive_.begin(member);
      }
    }
    SBX_TRY(add_details(id, attr, path, member));
    SBX_TRY(archive_.begin(member));
    return write_data(id, path, member.size);
  }

  Result<void> add_details(NodeId id, const Attr& attr, const std::string& path,
                           layer::ArchiveMember& member) {
    if (S_ISLNK(attr.mode)) {
      FsResult<std::string> target = tree_.read_link(id);
      if (!target) {
        return fail(told("read link", path, target.error()));
      }
      member.symlink = std::move(target).value();
    }
    if (S_ISREG(attr.mode)) {
      member.size = attr.size;
    }
    const FsResult<std::vector<std::string>> names = tree_.xattr_names(id);
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      FsResult<std::string> value = tree_.xattr(id, name);
      if (!value) {
        return fail(told("read attribute " + printable(name) + " of", path, value.error()));
      }
      member.xattrs.emplace_back(name, std::move(value).value());
    }
    return {};
  }

  Result<void> write_data(NodeId id, const std::string& path, std::uint64_t size) {
    for (std::uint64_t done = 0; done < size;) {
      const std::size_t wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), size - done));
      const FsResult<std::size_t> got = tree_.read(id, done, std::span(buffer_).first(wanted));
      if (!got || *got == 0) {
        return fail(told("read", path, got ? Errno(EIO) : got.error()));
      }
      SBX_TRY(archive_.write(std::span(buffer_).first(*got)));
      done += *got;
    }
    return {};
  }

  overlay::Overlay& tree_;
  layer::ArchiveWriter& archive_;
  std::vector<std::byte> buffer_;
  std::vector<Directory> open_;
  std::map<std::uint64_t, std::string> first_names_;  // of hard-linked files, by inode number
};

}  // namespace

Result<void> write_tree(overlay::Overlay& tree, layer::ArchiveWriter& archive) {
  SBX_TRY(TreeWriter(tree, archive).run());
  return archive.finish();
}

}  // namespace sbx::transfer
