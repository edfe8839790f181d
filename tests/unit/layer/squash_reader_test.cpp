#include "layer/squash_reader.hpp"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "layer/merged_tree.hpp"

namespace sbx::layer::test {
namespace {

constexpr std::uint32_t kBlock = 4096;

std::string compressed(const std::string& text) {
  std::string out(::compressBound(text.size()), '\0');
  uLongf size = out.size();
  REQUIRE(::compress(reinterpret_cast<Bytef*>(out.data()), &size,
                     reinterpret_cast<const Bytef*>(text.data()), text.size()) == Z_OK);
  out.resize(size);
  return out;
}

/// Files over gzip blocks, with what is in them.
class Image {
 public:
  /// `holes`: every other block. `tail_in`: the last bytes come from the middle of a block of their own.
  void add(const std::string& name, std::size_t size, bool holes = false, bool tail = false) {
    std::string content;
    TarEntry entry;
    entry.path = name;
    entry.mode = 0644;
    entry.size = size;
    entry.sparse = true;
    for (std::size_t at = 0; at < size; at += kBlock) {
      const std::size_t length = std::min<std::size_t>(kBlock, size - at);
      if (holes && at / kBlock % 2 == 0) {
        content += std::string(length, '\0');
        continue;
      }
      std::string bytes(length, '\0');
      for (char& c : bytes) {
        c = static_cast<char>('a' + random_() % 20);
      }
      content += bytes;
      const bool in_fragment = tail && length < kBlock;
      const std::string stored = compressed(in_fragment ? "before" + bytes + "behind" : bytes);
      entry.extents.push_back(
          {at, format::pack_block(static_cast<std::uint32_t>(stored.size()), in_fragment ? 6 : 0),
           bytes_.size()});
      bytes_ += stored;
    }
    REQUIRE(index_.add_plain(entry));
    contents_.emplace_back(name, content);
  }

  void build() {
    MergedTree tree(budget_);
    REQUIRE(tree.apply(index_, oci::DiffId(), bytes_.size()));
    sys::Fd made(::memfd_create("tree", MFD_CLOEXEC));
    REQUIRE(tree.write(made.get(), oci::ChainId(), "tree", ImageTree::Squash{kBlock, 1}));
    tree_.emplace(ImageTree::open(std::move(made), "tree").value());
    REQUIRE(tree_->verify());
    file_ = sys::Fd(::memfd_create("image", MFD_CLOEXEC));
    REQUIRE(::write(file_.get(), bytes_.data(), bytes_.size()) ==
            static_cast<ssize_t>(bytes_.size()));
  }

  [[nodiscard]] const ImageTree& tree() const { return *tree_; }
  [[nodiscard]] int file() const { return file_.get(); }
  [[nodiscard]] const auto& contents() const { return contents_; }

  /// Whether `count` reads of random places give what is there.
  bool read_about(SquashReader& reader, unsigned seed, int count) const {
    std::mt19937 random(seed);
    for (int i = 0; i < count; ++i) {
      const auto& [name, content] = contents_[random() % contents_.size()];
      const std::size_t at = random() % (content.size() + 10);
      std::string got(random() % (3 * kBlock), '?');
      const auto size =
          reader.read(tree_->resolve(name), at, std::as_writable_bytes(std::span(got)));
      if (!size ||
          got.substr(0, *size) != content.substr(std::min(at, content.size()), got.size())) {
        return false;
      }
    }
    return true;
  }

 private:
  std::mt19937 random_{7};
  TreeBudget budget_{TreeLimits{}};
  LayerIndex index_{budget_};
  std::string bytes_ = std::string(96, 'S');
  std::vector<std::pair<std::string, std::string>> contents_;
  std::optional<ImageTree> tree_;
  sys::Fd file_;
};

void fill(Image& image) {
  image.add("blocks", std::size_t{20} * kBlock);
  image.add("tail", 3 * kBlock + 100);
  image.add("fragment", 2 * kBlock + 1000, false, true);
  image.add("small", 5, false, true);
  image.add("holes", 9 * kBlock + 7, true);
  image.add("empty", 0);
  for (int i = 0; i < 200; ++i) {  // more blocks than the cache has places
    image.add("file" + std::to_string(i), 100 + static_cast<std::size_t>(i), false, true);
  }
  image.build();
}

}  // namespace

TEST_CASE("every range of every file reads as it was", "[squash_reader]") {
  Image image;
  fill(image);
  SquashReader reader(image.tree(), image.file());
  REQUIRE(reader.prepare());
  CHECK(image.read_about(reader, 1, 3000));
  for (const auto& [name, content] : image.contents()) {
    CHECK(reader.read_file(image.tree().resolve(name), 1U << 20U).value() == content);
  }
  std::array<std::byte, 8> buffer{};
  CHECK(reader.read(kTreeRoot, 0, buffer).error() == Errno(EISDIR));
  CHECK(reader.read(9999, 0, buffer).error() == Errno(EINVAL));
}

TEST_CASE("many threads read at once", "[squash_reader]") {
  Image image;
  fill(image);
  SquashReader reader(image.tree(), image.file());
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] { good += image.read_about(reader, 10 + i, 1000) ? 1 : 0; });
    }
  }
  CHECK(good == 8);
}

TEST_CASE("a damaged block is an error of its own file, and of the next try too",
          "[squash_reader]") {
  Image image;
  fill(image);
  const TreeIno ino = image.tree().resolve("tail");
  const auto block = image.tree().block(ino, 3);
  const std::string rubbish(block->stored, 'x');
  REQUIRE(::pwrite(image.file(), rubbish.data(), rubbish.size(),
                   static_cast<off_t>(block->offset)) > 0);
  SquashReader reader(image.tree(), image.file());
  std::vector<std::byte> buffer(100);
  for (int i = 0; i < 2; ++i) {
    CHECK(reader.read(ino, 3 * kBlock, buffer).error() == Errno(EIO));
    CHECK(reader.read(ino, 0, buffer).value() == 100);
  }
  REQUIRE(::ftruncate(image.file(), 5000) == 0);  // the file was cut under us
  CHECK(reader.read(image.tree().resolve("file199"), 0, buffer).error() == Errno(EIO));
}

}  // namespace sbx::layer::test
