#include "layer/squash_writer.hpp"

#include <fmt/format.h>
#include <sqfs/block.h>
#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/compressor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "sys/at.hpp"

namespace sbx::layer {
namespace {

constexpr std::uint32_t kBlockSize = 128U
                                     << 10U;  // as mksquashfs; larger ones make small reads dear
constexpr std::uint64_t kPadding = 4096;      // what loop devices can show
// Twice the time of 3, half of 15 (libsquashfs's own), two per cent larger than that.
constexpr std::uint32_t kZstdLevel = 9;
constexpr std::uint32_t kGzipLevel = 6;
constexpr std::size_t kReadBytes = std::size_t{1} << 20U;

struct Destroy {
  template <class Object>
  void operator()(Object* object) const noexcept {
    sqfs_destroy(object);
  }
};
struct Free {
  void operator()(sqfs_inode_generic_t* inode) const noexcept { sqfs_free(inode); }
};
template <class Object>
using Sqfs = std::unique_ptr<Object, Destroy>;
using Inode = std::unique_ptr<sqfs_inode_generic_t, Free>;

/// The output as libsquashfs wants it.
struct Output {
  sqfs_file_t file;  // must be the first
  int fd;
  std::uint64_t size;
  int error;  // errno of the first failure

  static Output& of(const sqfs_file_t* file) noexcept {
    return *reinterpret_cast<Output*>(const_cast<sqfs_file_t*>(file));
  }
  explicit Output(int descriptor) : file{}, fd(descriptor), size(0), error(0) {
    file.base.destroy = [](sqfs_object_t*) noexcept {};
    file.read_at = [](sqfs_file_t* self, sqfs_u64 offset, void* data, std::size_t count) noexcept {
      const auto got =
          sys::at::pread_full(of(self).fd, {static_cast<std::byte*>(data), count}, offset);
      return got && *got == count ? 0 : int{SQFS_ERROR_IO};
    };
    file.write_at = [](sqfs_file_t* self, sqfs_u64 offset, const void* data,
                       std::size_t count) noexcept {
      Output& out = of(self);
      const auto done =
          sys::at::pwrite_full(out.fd, {static_cast<const std::byte*>(data), count}, offset);
      if (!done) {
        out.error = out.error == 0 ? done.error().value() : out.error;
        return int{SQFS_ERROR_IO};
      }
      out.size = std::max(out.size, offset + count);
      return 0;
    };
    file.get_size = [](const sqfs_file_t* self) noexcept { return of(self).size; };
    file.truncate = [](sqfs_file_t* self, sqfs_u64 wanted) noexcept {
      Output& out = of(self);
      out.size = wanted;
      return sys::at::truncate(out.fd, wanted) ? 0 : int{SQFS_ERROR_IO};
    };
  }
};

std::uint32_t time_of(const TreeInode& inode) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(inode.mtime_sec, 0, UINT32_MAX));
}

/// Kernel's new_encode_dev().
std::uint32_t coded_device(std::uint64_t device) {
  const unsigned minor = ::minor(device);
  return (minor & 0xFFU) | ::major(device) << 8U | (minor & ~0xFFU) << 12U;
}

bool has_place(std::string_view xattr) {
  return xattr.starts_with("user.") || xattr.starts_with("trusted.") ||
         xattr.starts_with("security.");
}

class Writer {
 public:
  Writer(const ImageTree& tree, std::span<const sys::Fd> layers, const SquashWriting& writing,
         int fd, std::string_view name)
      : tree_(tree), layers_(layers), writing_(writing), output_(fd), name_(name) {}

  ~Writer() {
    processor_.reset();  // which fills them until it ends
    for (sqfs_inode_generic_t* inode : raw_) {
      sqfs_free(inode);
    }
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Result<void> run() {
    SBX_TRY(prepare());
    SBX_TRY(write_data());
    SBX_TRY(write_inodes());
    return finish();
  }

 private:
  struct Written {
    Inode inode;            // of a regular file, until it is written
    std::uint64_t ref = 0;  // where it stands in the inode table
    bool hidden = false;    // every name of it is an extra's
  };

  Result<void> check(int code, std::string_view what) {
    if (code == 0) {
      return {};
    }
    if (output_.error != 0) {
      return fail(Error::system("write squashfs", name_, output_.error));
    }
    return fail(Error::make(code == SQFS_ERROR_ALLOC ? ErrorCode::kLimit : ErrorCode::kSystem,
                            "write squashfs", name_,
                            fmt::format("libsquashfs gave {} for {}", code, what)));
  }
  template <class Object>
  Result<void> keep(Sqfs<Object>& where, Object* made, std::string_view what) {
    where.reset(made);
    return check(made == nullptr ? int{SQFS_ERROR_ALLOC} : 0, what);
  }

  Result<void> prepare() {
    const bool zstd = writing_.compression == Compression::kZstd;
    const SQFS_COMPRESSOR id = zstd ? SQFS_COMP_ZSTD : SQFS_COMP_GZIP;
    sqfs_compressor_config_t config{};
    SBX_TRY(check(sqfs_compressor_config_init(&config, id, kBlockSize, 0), "the compression"));
    config.level = zstd ? kZstdLevel : kGzipLevel;
    sqfs_compressor_t* made = nullptr;
    SBX_TRY(check(sqfs_compressor_create(&config, &made), "the compression"));
    compressor_.reset(made);
    config.flags |= SQFS_COMP_FLAG_UNCOMPRESS;
    SBX_TRY(check(sqfs_compressor_create(&config, &made), "the decompression"));
    decompressor_.reset(made);
    SBX_TRY(check(sqfs_super_init(&super_, kBlockSize, 0, id), "the superblock"));
    SBX_TRY(check(sqfs_super_write(&super_, &output_.file), "the superblock"));
    const int options = compressor_->write_options(compressor_.get(), &output_.file);
    SBX_TRY(check(std::min(options, 0), "the options"));
    if (options > 0) {
      super_.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
    }
    SBX_TRY(keep(blocks_, sqfs_block_writer_create(&output_.file, 0, 0), "the blocks"));
    SBX_TRY(keep(fragments_, sqfs_frag_table_create(0), "the fragments"));
    SBX_TRY(keep(ids_, sqfs_id_table_create(0), "the owners"));
    SBX_TRY(keep(xattrs_, sqfs_xattr_writer_create(0), "the xattrs"));
    SBX_TRY(keep(inodes_, sqfs_meta_writer_create(&output_.file, compressor_.get(), 0), "inodes"));
    SBX_TRY(keep(
        listings_,
        sqfs_meta_writer_create(&output_.file, compressor_.get(), SQFS_META_WRITER_KEEP_IN_MEMORY),
        "the directories"));
    SBX_TRY(keep(directories_, sqfs_dir_writer_create(listings_.get(), 0), "the directories"));
    sqfs_block_processor_desc_t wanted{};
    wanted.size = sizeof wanted;
    wanted.max_block_size = kBlockSize;
    wanted.num_workers = writing_.threads;
    wanted.max_backlog = writing_.threads * 10;  // blocks in memory
    wanted.cmp = compressor_.get();
    wanted.wr = blocks_.get();
    wanted.tbl = fragments_.get();
    wanted.file = &output_.file;
    wanted.uncmp = decompressor_.get();
    sqfs_block_processor_t* processor = nullptr;
    SBX_TRY(check(sqfs_block_processor_create_ex(&wanted, &processor), "the data"));
    processor_.reset(processor);
    return {};
  }

  /// Files in the order of their numbers, which is that of their directories.
  Result<void> write_data() {
    written_.resize(std::size_t{tree_.inode_count()} + 1 + writing_.extras.size());
    for (const SquashWriting::Extra& extra : writing_.extras) {
      const TreeIno old = tree_.lookup(extra.directory, extra.name);
      const auto inode = tree_.inode(old);
      if (inode && S_ISDIR(inode->mode)) {
        return fail(Error::make(ErrorCode::kUnsupported, "write squashfs", name_,
                                fmt::format("'{}' is a directory in it", printable(extra.name))));
      }
      written_[old].hidden = inode && inode->nlink == 1;
    }
    for (TreeIno ino = 1; ino <= tree_.inode_count(); ++ino) {
      const auto inode = tree_.inode(ino);
      if (inode && S_ISREG(inode->mode) && !written_[ino].hidden) {
        SBX_TRY(write_file(ino, *inode));
      }
    }
    for (std::size_t i = 0; i < writing_.extras.size(); ++i) {
      const std::string& text = writing_.extras[i].text;
      SBX_TRY(begin_file(extra_number(i)));
      if (!text.empty()) {  // libsquashfs 1.2 crashes at nothing
        SBX_TRY(check(sqfs_block_processor_append(processor_.get(), text.data(), text.size()),
                      "a file"));
      }
      SBX_TRY(end_file());
    }
    return check(sqfs_block_processor_finish(processor_.get()), "the data");
  }

  Result<void> begin_file(std::uint32_t number) {
    const sqfs_u32 flags =
        writing_.compression == Compression::kNone ? sqfs_u32{SQFS_BLK_DONT_COMPRESS} : 0;
    // libsquashfs allocates the inode, and fills it until the end of all data.
    raw_.resize(written_.size());
    return check(sqfs_block_processor_begin_file(processor_.get(), &raw_[number], nullptr, flags),
                 "a file");
  }
  Result<void> end_file() {
    return check(sqfs_block_processor_end_file(processor_.get()), "a file");
  }

  Result<void> write_file(TreeIno ino, const TreeInode& inode) {
    SBX_TRY(begin_file(ino));
    buffer_.resize(kReadBytes);
    for (std::uint64_t at = 0; at < inode.size;) {
      const FsResult<std::size_t> got = tree_.read(ino, at, buffer_, layers_);
      if (!got || *got == 0) {
        return fail(
            Error::system("read inode", std::to_string(ino), got ? EIO : got.error().value()));
      }
      SBX_TRY(check(sqfs_block_processor_append(processor_.get(), buffer_.data(), *got), "a file"));
      at += *got;
    }
    return end_file();
  }

  /// Directories last, the deepest first: their entries must stand somewhere. A directory's number is greater than its
  /// parent's.
  Result<void> write_inodes() {
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      written_[i].inode.reset(raw_[i]);
    }
    raw_.clear();
    super_.inode_table_start = output_.size;
    for (TreeIno ino = 1; ino <= tree_.inode_count(); ++ino) {
      const auto inode = tree_.inode(ino);
      if (inode && !S_ISDIR(inode->mode) && !written_[ino].hidden) {
        SBX_TRY(write_other(ino, *inode));
      }
    }
    for (std::size_t i = 0; i < writing_.extras.size(); ++i) {
      SBX_TRY(write_extra(i));
    }
    for (TreeIno ino = tree_.inode_count(); ino >= 1; --ino) {
      const auto inode = tree_.inode(ino);
      if (inode && S_ISDIR(inode->mode)) {
        SBX_TRY(write_directory(ino, *inode));
      }
    }
    SBX_TRY(check(sqfs_meta_writer_flush(inodes_.get()), "the inodes"));
    SBX_TRY(check(sqfs_meta_writer_flush(listings_.get()), "the directories"));
    super_.root_inode_ref = written_[kTreeRoot].ref;
    super_.directory_table_start = output_.size;
    return check(sqfs_meta_write_write_to_file(listings_.get()), "the directories");
  }

  static Inode make_inode(std::size_t extra) {
    return Inode(
        static_cast<sqfs_inode_generic_t*>(std::calloc(1, sizeof(sqfs_inode_generic_t) + extra)));
  }

  Inode inode_of(TreeIno ino, const TreeInode& from) {
    const std::string_view target = tree_.symlink_target(ino);
    Inode inode = make_inode(target.size());
    switch (from.mode & S_IFMT) {
      case S_IFLNK:
        inode->base.type = SQFS_INODE_SLINK;
        inode->data.slink.nlink = from.nlink;
        inode->data.slink.target_size = static_cast<sqfs_u32>(target.size());
        std::memcpy(inode->extra, target.data(), target.size());
        break;
      case S_IFBLK:
      case S_IFCHR:
        inode->base.type = S_ISBLK(from.mode) ? SQFS_INODE_BDEV : SQFS_INODE_CDEV;
        inode->data.dev.nlink = from.nlink;
        inode->data.dev.devno = coded_device(from.rdev);
        break;
      default:
        inode->base.type = S_ISFIFO(from.mode) ? SQFS_INODE_FIFO : SQFS_INODE_SOCKET;
        inode->data.ipc.nlink = from.nlink;
        break;
    }
    return inode;
  }

  Result<void> write_other(TreeIno ino, const TreeInode& from) {
    Inode inode = S_ISREG(from.mode) ? std::move(written_[ino].inode) : inode_of(ino, from);
    if (!inode) {
      return check(SQFS_ERROR_ALLOC, "an inode");
    }
    const std::uint32_t xattrs = SBX_TRY(write_xattrs(ino));
    if (S_ISREG(from.mode) && from.nlink > 1) {
      SBX_TRY(check(sqfs_inode_make_extended(inode.get()), "an inode"));
    }
    if (xattrs != kNoXattrs) {
      SBX_TRY(check(sqfs_inode_set_xattr_index(inode.get(), xattrs), "an inode"));
    }
    if (inode->base.type == SQFS_INODE_EXT_FILE) {
      inode->data.file_ext.nlink = from.nlink;
    }
    return write_inode(ino, from, *inode);
  }

  Result<void> write_extra(std::size_t index) {
    TreeInode from = tree_.inode(writing_.extras[index].directory).value_or(TreeInode{});
    from.mode = S_IFREG | 0644U;
    from.uid = from.gid = 0;
    const Inode inode = std::move(written_[extra_number(index)].inode);
    return write_inode(extra_number(index), from, *inode);
  }

  Result<void> write_inode(std::uint32_t number, const TreeInode& from,
                           sqfs_inode_generic_t& inode) {
    inode.base.mode = static_cast<sqfs_u16>(from.mode);
    inode.base.mod_time = time_of(from);
    inode.base.inode_number = number;
    SBX_TRY(check(sqfs_id_table_id_to_index(ids_.get(), from.uid, &inode.base.uid_idx),
                  "an owner: there are more than 65535"));
    SBX_TRY(check(sqfs_id_table_id_to_index(ids_.get(), from.gid, &inode.base.gid_idx),
                  "a group: there are more than 65535"));
    sqfs_u64 block = 0;
    sqfs_u32 offset = 0;
    sqfs_meta_writer_get_position(inodes_.get(), &block, &offset);
    written_[number].ref = block << 16U | offset;
    return check(sqfs_meta_writer_write_inode(inodes_.get(), &inode), "an inode");
  }

  Result<std::uint32_t> write_xattrs(TreeIno ino) {
    const std::uint32_t count = tree_.xattr_count(ino);
    if (count == 0) {
      return kNoXattrs;
    }
    SBX_TRY(check(sqfs_xattr_writer_begin(xattrs_.get(), 0), "the xattrs"));
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto xattr = tree_.xattr(ino, i);
      if (xattr && has_place(xattr->name)) {
        SBX_TRY(check(sqfs_xattr_writer_add(xattrs_.get(), std::string(xattr->name).c_str(),
                                            xattr->value.data(), xattr->value.size()),
                      "an xattr"));
      }
    }
    std::uint32_t index = kNoXattrs;
    SBX_TRY(check(sqfs_xattr_writer_end(xattrs_.get(), &index), "the xattrs"));
    return index;
  }

  Result<void> write_directory(TreeIno ino, const TreeInode& from) {
    struct Name {
      std::uint32_t number;
      std::uint32_t mode;
    };
    std::map<std::string, Name> names;  // sorted by bytes, as squashfs wants them
    const std::uint32_t entries = tree_.entry_count(ino);
    for (std::uint32_t i = 0; i < entries; ++i) {
      const auto entry = tree_.entry(ino, i);
      const auto child = entry ? tree_.inode(entry->ino) : std::nullopt;
      if (child) {
        names[std::string(entry->name)] = {entry->ino, child->mode};
      }
    }
    for (std::size_t i = 0; i < writing_.extras.size(); ++i) {
      if (writing_.extras[i].directory == ino) {
        names[writing_.extras[i].name] = {extra_number(i), S_IFREG};
      }
    }
    SBX_TRY(check(sqfs_dir_writer_begin(directories_.get(), 0), "a directory"));
    for (const auto& [name, child] : names) {
      SBX_TRY(check(
          sqfs_dir_writer_add_entry(directories_.get(), name.c_str(), child.number,
                                    written_[child.number].ref, static_cast<sqfs_u16>(child.mode)),
          "a directory"));
    }
    SBX_TRY(check(sqfs_dir_writer_end(directories_.get()), "a directory"));
    const std::uint32_t xattrs = SBX_TRY(write_xattrs(ino));
    // The kernel wants a number that no inode has as the root's parent.
    const std::uint32_t parent =
        ino == kTreeRoot ? static_cast<std::uint32_t>(written_.size()) : tree_.parent(ino);
    const Inode inode(sqfs_dir_writer_create_inode(directories_.get(), 0, xattrs, parent));
    if (!inode) {
      return check(SQFS_ERROR_ALLOC, "a directory");
    }
    if (inode->base.type == SQFS_INODE_DIR) {
      inode->data.dir.nlink = from.nlink;
    } else {
      inode->data.dir_ext.nlink = from.nlink;
    }
    return write_inode(ino, from, *inode);
  }

  Result<void> finish() {
    super_.inode_count = static_cast<sqfs_u32>(written_.size() - 1);
    for (std::size_t i = 1; i < written_.size(); ++i) {
      super_.inode_count -= written_[i].hidden ? 1U : 0U;
    }
    sqfs_file_t* const file = &output_.file;
    sqfs_compressor_t* const compressor = compressor_.get();
    SBX_TRY(check(sqfs_frag_table_write(fragments_.get(), file, &super_, compressor), "fragments"));
    SBX_TRY(check(sqfs_id_table_write(ids_.get(), file, &super_, compressor), "the owners"));
    SBX_TRY(check(sqfs_xattr_writer_flush(xattrs_.get(), file, &super_, compressor), "xattrs"));
    super_.bytes_used = output_.size;
    SBX_TRY(check(sqfs_super_write(&super_, file), "the superblock"));
    const std::vector<std::byte> zeros((kPadding - output_.size % kPadding) % kPadding);
    return zeros.empty()
               ? Result<void>()
               : check(file->write_at(file, output_.size, zeros.data(), zeros.size()), "the end");
  }

  [[nodiscard]] std::uint32_t extra_number(std::size_t index) const {
    return tree_.inode_count() + 1 + static_cast<std::uint32_t>(index);
  }

  static constexpr std::uint32_t kNoXattrs = UINT32_MAX;

  const ImageTree& tree_;
  std::span<const sys::Fd> layers_;
  const SquashWriting& writing_;
  Output output_;
  std::string_view name_;
  sqfs_super_t super_{};
  std::vector<Written> written_;            // by inode number
  std::vector<sqfs_inode_generic_t*> raw_;  // of regular files while their data are written
  std::vector<std::byte> buffer_;

  // Destroyed in the reverse order: the processor's threads end before what they use.
  Sqfs<sqfs_compressor_t> compressor_;
  Sqfs<sqfs_compressor_t> decompressor_;
  Sqfs<sqfs_block_writer_t> blocks_;
  Sqfs<sqfs_frag_table_t> fragments_;
  Sqfs<sqfs_id_table_t> ids_;
  Sqfs<sqfs_xattr_writer_t> xattrs_;
  Sqfs<sqfs_meta_writer_t> inodes_;
  Sqfs<sqfs_meta_writer_t> listings_;
  Sqfs<sqfs_dir_writer_t> directories_;
  Sqfs<sqfs_block_processor_t> processor_;
};

}  // namespace

Result<void> write_squash(const ImageTree& tree, std::span<const sys::Fd> layers,
                          const SquashWriting& writing, int fd, std::string_view name) {
  return Writer(tree, layers, writing, fd, name).run();
}

}  // namespace sbx::layer
