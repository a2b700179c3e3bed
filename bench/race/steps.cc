#include "bench/race/steps.h"

#include <algorithm>
#include <string>
#include <vector>

namespace firn::race {

namespace {

// A thread's share of `total`.
std::uint64_t share(std::uint64_t total, int index, int threads) {
  const auto begin = total * static_cast<std::uint64_t>(index) / static_cast<std::uint64_t>(threads);
  const auto end = total * (static_cast<std::uint64_t>(index) + 1) / static_cast<std::uint64_t>(threads);
  return end - begin;
}

std::uint64_t share_start(std::uint64_t total, int index, int threads) {
  return total * static_cast<std::uint64_t>(index) / static_cast<std::uint64_t>(threads);
}

void check_value(bool found, std::string_view value, const Values& values, std::uint64_t row) {
  if (!found) die("wrong answer", "row " + std::to_string(row) + " is missing");
  if (!values.matches(value, row)) die("wrong answer", "row " + std::to_string(row) + " has another value");
}

// What a scan of all rows must add up to.
ScanSum sum_of(const Rows& rows) {
  KeyBuffer key(rows.form);
  const Values values(rows.value_bytes);
  ScanSum sum;
  for (std::uint64_t row = 0; row < rows.count; ++row) sum.add(key(row), values(row));
  return sum;
}

}  // namespace

double Rows::bytes(double rows) const {
  const double key_bytes = static_cast<double>(KeyBuffer(form)(count / 2).size());
  return rows * (key_bytes + static_cast<double>(value_bytes));
}

Body put_rows(const Rows& rows, int threads, bool shuffled, std::uint64_t batch, std::uint64_t times) {
  return [=](Worker& worker) {
    const Values values(rows.value_bytes);
    const std::uint64_t start = share_start(rows.count, worker.index, threads);
    const std::uint64_t own = share(rows.count, worker.index, threads);
    std::vector<KeyBuffer> keys(batch, KeyBuffer(rows.form));
    std::vector<Row> buffer(batch);
    std::vector<Permutation> orders;
    for (std::uint64_t i = 0; i < times; ++i) orders.emplace_back(rows.count, worker.settings.seed + i);
    const auto row_of = [&](std::uint64_t i) {
      return shuffled ? orders[i / own % times](start + i % own) : start + i % own;
    };
    if (batch == 1) {
      worker.drive(own * times, [&](std::uint64_t i) {
        const std::uint64_t row = row_of(i);
        worker.session.put(keys[0](row), values(row));
      });
      return;
    }
    worker.drive(own * times / batch, [&](std::uint64_t i) {
      for (std::uint64_t j = 0; j < batch; ++j) {
        const std::uint64_t row = row_of(i * batch + j);
        buffer[j] = {keys[j](row), values(row)};
      }
      worker.session.put_batch(buffer);
    });
  };
}

Body erase_rows(const Rows& rows, std::uint64_t count) {
  return [=](Worker& worker) {
    const Permutation order(rows.count, worker.settings.seed);
    KeyBuffer key(rows.form);
    worker.drive(count, [&](std::uint64_t i) { worker.session.erase(key(order(i))); });
  };
}

Body put_random(const Rows& rows, std::uint64_t count) {
  return [=](Worker& worker) {
    const Values values(rows.value_bytes);
    KeyBuffer key(rows.form);
    worker.drive(count, [&](std::uint64_t) {
      const std::uint64_t row = worker.rng.below(rows.count);
      worker.session.put(key(row), values(row));
    });
  };
}

Body get_random(const Rows& rows, std::uint64_t count, std::uint64_t among) {
  return [=](Worker& worker) {
    const Permutation order(rows.count, worker.settings.seed + 77);  // A subset is spread over all tables.
    const Values values(rows.value_bytes);
    KeyBuffer key(rows.form);
    std::string_view value;
    worker.drive(count, [&](std::uint64_t) {
      const std::uint64_t row = order(worker.rng.below(among));
      const bool found = worker.session.get(key(row), value);
      check_value(found, value, values, row);
    });
  };
}

Body get_missing(const Rows& rows, std::uint64_t count) {
  return [=](Worker& worker) {
    KeyBuffer key(KeyForm::kMissing);
    std::string_view value;
    worker.drive(count, [&](std::uint64_t) {
      if (worker.session.get(key(worker.rng.below(rows.count)), value))
        die("wrong answer", "found a key never written");
    });
  };
}

Body multi_get_random(const Rows& rows, std::uint64_t count, std::uint64_t keys) {
  return [=](Worker& worker) {
    const Values values(rows.value_bytes);
    std::vector<KeyBuffer> buffers(keys, KeyBuffer(rows.form));
    std::vector<std::uint64_t> chosen(keys);
    std::vector<std::string_view> wanted(keys);
    std::vector<std::string_view> found(keys);
    worker.drive(count / keys, [&](std::uint64_t) {
      for (std::size_t i = 0; i < keys; ++i) {
        chosen[i] = worker.rng.below(rows.count);
        wanted[i] = buffers[i](chosen[i]);
      }
      worker.session.multi_get(wanted, found);
      for (std::size_t i = 0; i < keys; ++i) check_value(found[i].data() != nullptr, found[i], values, chosen[i]);
    });
  };
}

Body seek_random(const Rows& rows, std::uint64_t count, std::uint64_t limit, bool reuse_iterator) {
  return [=](Worker& worker) {
    KeyBuffer key(rows.form);
    const std::uint64_t last_start = rows.count - std::min(limit, rows.count);
    worker.drive(count, [&](std::uint64_t) {
      const ScanSum sum = worker.session.scan(key(worker.rng.below(last_start)), limit, reuse_iterator);
      if (sum.rows != limit) die("wrong answer", "a scan ended early");
    });
  };
}

Body scan_random_owner(const Rows& rows, std::uint64_t count) {
  return [=](Worker& worker) {
    worker.drive(count, [&](std::uint64_t) {
      const auto prefix = owner_prefix(worker.rng.below(rows.count / kRowsPerPrefix));
      const ScanSum sum = worker.session.scan_prefix({prefix.data(), prefix.size()});
      if (sum.rows != kRowsPerPrefix) die("wrong answer", "a prefix has " + std::to_string(sum.rows) + " rows");
    });
  };
}

Body scan_everything(const Rows& rows, std::uint64_t count, bool reverse, std::uint64_t expected_rows) {
  const ScanSum expected = expected_rows == rows.count ? sum_of(rows) : ScanSum();
  return [=](Worker& worker) {
    worker.drive(count, [&](std::uint64_t) {
      const ScanSum sum = worker.session.scan_all(reverse);
      if (sum.rows != expected_rows) die("wrong answer", "a full scan saw " + std::to_string(sum.rows) + " rows");
      if (expected.rows == sum.rows && expected.checksum != sum.checksum) {
        die("wrong answer", "a full scan saw other bytes than were written");
      }
    });
  };
}

}  // namespace firn::race
