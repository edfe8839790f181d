#pragma once

// What a sandbox's root is made from: an image of the store, a file with a squashfs, a directory tree, or the host itself.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "layer/image_tree.hpp"
#include "runtime/account.hpp"
#include "runtime/image_defaults.hpp"
#include "runtime/run_request.hpp"
#include "sandbox/plan.hpp"
#include "sys/fd.hpp"

namespace sbx::overlay {
class Lower;
}  // namespace sbx::overlay

namespace sbx::runtime {

/// The lower tree of a root, and what it says about itself. Nothing in it is ever run or loaded outside.
class RootSource {
 public:
  enum class Kind { kImage, kDirectory, kHost };

  /// Loads the image first if `request.image` names an archive or a layout of this machine.
  static Result<RootSource> open(const RunRequest& request, const std::string& data_root);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const ImageDefaults& defaults() const { return defaults_; }
  [[nodiscard]] AccountFiles accounts() const;
  /// Whether `path` leads to a file that the tree says is executable; nullopt if it cannot be told beforehand.
  [[nodiscard]] std::optional<bool> is_executable(const std::string& path) const;

  /// Of an image: its chain id, and which files of which state its layers are. Before take_layers().
  [[nodiscard]] Result<std::string> identity() const;

  /// What the root of an image is given when a directory stands for it. Before take_tree().
  [[nodiscard]] sandbox::KernelOverlay root_attributes() const;

  /// The chain id of the image; empty for what is none. Before take_tree().
  [[nodiscard]] std::string chain() const { return tree_ ? tree_->chain_id().str() : ""; }

  /// Digest of the manifest of an image of the store; empty for what is none.
  [[nodiscard]] const std::string& image_id() const { return image_id_; }

  /// A directory of the tree, links resolved inside. nullopt if there is none, and for the host, which is no image.
  struct Directory {
    mode_t mode = 0755;
    uid_t uid = 0;  // an image's: as in the sandbox; a directory's: of the machine
    gid_t gid = 0;
    bool empty = true;
  };
  [[nodiscard]] std::optional<Directory> look_at_directory(const std::string& path) const;

  /// The tree, to be read and copied from. Takes what take_tree() and the others take: for a process that does nothing else.
  Result<std::unique_ptr<overlay::Lower>> take_lower();

  /// Gives the open files of the tree away, to the file system. kImage: tree and layers (of a squashfs its file); else directory.
  [[nodiscard]] layer::ImageTree take_tree() { return std::move(*tree_); }
  [[nodiscard]] std::vector<sys::Fd> take_layers() { return std::move(layers_); }
  [[nodiscard]] sys::Fd take_directory() { return std::move(directory_); }

 private:
  /// The text of a small regular file, symlinks resolved inside the tree; empty if there is none.
  [[nodiscard]] std::string read_small_file(const std::string& path) const;
  static Result<RootSource> open_directory(Kind kind, const std::string& path);

  Kind kind_ = Kind::kImage;
  ImageDefaults defaults_;
  std::string image_id_;
  std::optional<layer::ImageTree> tree_;
  std::vector<sys::Fd> layers_;
  std::optional<AccountFiles> accounts_;  // of a squashfs: this process decompresses nothing
  sys::Fd directory_;
};

}  // namespace sbx::runtime
