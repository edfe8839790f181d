#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>

#include "../fixture.hpp"
#include "../memory_lower.hpp"
#include "sys/at.hpp"

namespace sbx::overlay::test {
namespace {

constexpr std::size_t kSize = 300'001;  // no multiple of a block

std::string lower_text() {
  std::string text(kSize, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>('a' + i % 23);
  }
  return text;
}

Model tree_of_one() {
  Model model;
  ModelRef file = make_model_node(S_IFREG | 0644, {}, lower_text());
  REQUIRE(Model::create(*model.find({}), "file", file) == 0);
  return model;
}

/// One large file of the lower tree, and what it should hold.
class LargeFile {
 public:
  LargeFile() { reload(); }

  void reload() {
    held_.reset();
    overlay_.reset();
    overlay_ =
        make_overlay(scratch_, std::make_unique<MemoryLower>(tree_of_one()), all_ids(), 1000);
    held_.emplace(std::move(walk(*overlay_, {"file"}).value()));
  }
  void write(std::size_t offset, const std::string& data) {
    REQUIRE(overlay_->write(held_->id(), offset, std::as_bytes(std::span(data)), false));
    wanted_.resize(std::max(wanted_.size(), offset + data.size()));
    wanted_.replace(offset, data.size(), data);
  }
  bool write_nothing(std::size_t offset) {
    return overlay_->write(held_->id(), offset, {}, false).has_value();
  }
  void truncate(std::size_t size) {
    AttrChange change;
    change.set_size = true;
    change.size = size;
    REQUIRE(overlay_->set_attr(held_->id(), change));
    wanted_.resize(size);
  }
  void punch(std::size_t offset, std::size_t length) {
    constexpr int kPunch = 3;  // FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
    REQUIRE(overlay_->allocate(held_->id(), kPunch, offset, length));
    for (std::size_t i = offset; i < std::min(offset + length, wanted_.size()); ++i) {
      wanted_[i] = '\0';
    }
  }
  void check() {
    // Not CHECK(a == b): a failure would print both.
    CHECK((read_all(*overlay_, held_->id()) == wanted_));
    CHECK(overlay_->get_attr(held_->id()).value().size == wanted_.size());
  }
  [[nodiscard]] struct stat on_disk() const {
    struct stat st {};
    REQUIRE(::stat((scratch_.path() + "/upper/file").c_str(), &st) == 0);
    return st;
  }
  [[nodiscard]] std::size_t size() const { return wanted_.size(); }
  [[nodiscard]] const std::string& path() const { return scratch_.path(); }

 private:
  Scratch scratch_;
  std::string wanted_ = lower_text();
  std::unique_ptr<Overlay> overlay_;
  std::optional<Held> held_;
};

}  // namespace

TEST_CASE("a byte appended to a large file copies one block", "[parts]") {
  LargeFile file;
  file.write(kSize, "x");
  file.check();
  CHECK(file.on_disk().st_blocks <= 32);  // a block, and attributes
  file.reload();
  file.check();
}

TEST_CASE("writing nothing makes no file longer", "[parts]") {
  LargeFile file;
  file.write(10, "made a copy");
  file.truncate(1000);
  REQUIRE(file.write_nothing(200'000));
  file.check();
}

TEST_CASE("a file that only grew is as long after a reload", "[parts]") {
  LargeFile file;
  file.truncate(kSize + 50'000);
  file.check();
  file.reload();
  file.check();
}

TEST_CASE("writes anywhere show between what the lower file has", "[parts]") {
  LargeFile file;
  file.write(0, "first");
  file.write(4096, std::string(4096, 'W'));
  file.write(50'000, std::string(10'000, 'L'));
  file.write(50'001, std::string(8'192, '\0'));  // zeros are data
  file.write(kSize + 20'000, "far beyond");
  file.check();
  file.reload();
  file.check();
}

TEST_CASE("what was cut off does not come back", "[parts]") {
  for (const std::size_t cut : {std::size_t{100}, std::size_t{4096}, std::size_t{150'001}}) {
    LargeFile file;
    file.truncate(cut);
    file.check();
    file.truncate(200'000);
    file.check();
    file.write(cut + 50, "in the middle of zeros");
    file.check();
    file.reload();
    file.check();
    file.truncate(0);
    file.write(10, "new");
    file.check();
    file.reload();
    file.check();
  }
}

TEST_CASE("a server killed between cutting and noting it shows no more than is left", "[parts]") {
  LargeFile file;
  file.write(10, "made a copy");
  // What truncate_data() has done before it notes the size.
  REQUIRE(::truncate((file.path() + "/upper/file").c_str(), 5000) == 0);
  file.reload();
  file.truncate(5000);
  file.write(9000, "behind zeros");
  file.reload();
  file.check();
}

TEST_CASE("a hole that is punched is one", "[parts]") {
  LargeFile file;
  file.write(70'000, "data");
  file.punch(60'000, 100'000);
  file.check();
  file.reload();
  file.check();
}

TEST_CASE("random writes, cuts and holes do what they do to a string", "[parts]") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto pick = [&](std::size_t below) { return random() % below; };
  for (int round = 0; round < 20; ++round) {
    LargeFile file;
    for (int i = 0; i < 40; ++i) {
      switch (pick(12)) {
        case 0:
          file.truncate(pick(2 * kSize));
          break;
        case 1:
          file.reload();
          break;
        case 2:
          if (round % 4 == 0) {
            file.punch(pick(kSize), 1 + pick(40'000));
          }
          break;
        default:
          file.write(pick(file.size() + 10'000), std::string(1 + pick(pick(2) == 0 ? 100 : 20'000),
                                                             static_cast<char>('A' + i % 26)));
      }
      file.check();
    }
  }
}

}  // namespace sbx::overlay::test
