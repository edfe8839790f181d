#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <vector>

#include "model.hpp"
#include "overlay/core/lower.hpp"

namespace sbx::overlay::test {

/// A lower tree in memory, a copy of a Model: any owner and any type of file, without being root.
class MemoryLower final : public Lower {
 public:
  explicit MemoryLower(const Model& model);

  FsResult<LowerPin> lookup(LowerRef dir, std::string_view name) noexcept override;
  FsResult<std::uint32_t> probe(LowerRef dir, std::string_view name) noexcept override;
  FsResult<Attr> attr(LowerRef ref) noexcept override;
  FsResult<std::string> read_link(LowerRef ref) noexcept override;
  FsResult<std::size_t> read(LowerRef ref, std::uint64_t offset,
                             std::span<std::byte> data) noexcept override;
  FsResult<std::uint64_t> seek(LowerRef ref, std::uint64_t offset, int whence) noexcept override;
  FsResult<void> copy_data(LowerRef ref, int to, std::uint64_t length) noexcept override;
  FsResult<void> list(LowerRef dir, std::uint64_t index, EntrySink& sink) noexcept override;
  FsResult<std::string> xattr(LowerRef ref, std::string_view name) noexcept override;
  FsResult<std::vector<std::string>> xattr_names(LowerRef ref) noexcept override;
  FsResult<std::vector<Place>> places(LowerRef ref) noexcept override;
  FsResult<LowerPin> by_number(std::uint64_t ino) noexcept override;
  std::uint64_t number_for_upper(std::uint64_t device, std::uint64_t ino) noexcept override;
  [[nodiscard]] Trust trust() const noexcept override { return Trust::kForever; }
  void pin(LowerRef) noexcept override {}
  void unpin(LowerRef) noexcept override {}
  void add_lookups(LowerRef ref, std::uint64_t count) noexcept override;
  std::uint64_t drop_lookups(LowerRef ref, std::uint64_t count) noexcept override;
  [[nodiscard]] std::uint64_t lookups(LowerRef ref) noexcept override;
  [[nodiscard]] bool valid(LowerRef ref) noexcept override;

  /// How many files have lookups that nobody dropped.
  [[nodiscard]] std::size_t known() const;

 private:
  struct File {
    ModelNode node;  // entries are not used
    std::vector<std::pair<std::string, LowerRef>> entries;
    std::vector<Place> places;
    std::uint32_t nlink = 1;
    std::atomic<std::uint64_t> lookups = 0;
  };
  LowerRef copy(const ModelRef& from, std::map<const ModelNode*, LowerRef>& done);
  [[nodiscard]] File& file(LowerRef ref) { return files_[ref.get() - 1]; }

  std::deque<File> files_;
};

}  // namespace sbx::overlay::test
