use super::*;

fn text(message: &[u8], start: usize) -> String {
    Name::new(message, start).to_string()
}

#[test]
fn plain_root_and_escaped_names() {
    assert_eq!(text(b"\x03www\x07eXample\x00", 0), "www.eXample");
    assert_eq!(text(b"\x00", 0), ".");
    assert_eq!(text(b"\x06a.b\\ \"\x02\x00\xff\x00", 0), "a\\.b\\\\\\032\".\\000\\255");
}

#[test]
fn pointers_go_backwards_and_forwards() {
    let message = b"\x01a\x00\x01b\xc0\x00\x01c\xc0\x0c\xff\x01d\x00";
    assert_eq!(text(message, 3), "b.a");
    assert_eq!(text(message, 7), "c.d");
    assert_eq!(Name::new(message, 3).end(), Ok(7));
}

#[test]
fn a_pointer_has_the_place_it_points_to() {
    let message = b"\x01a\x00\xc0\x00\x01b\xc0\x00\xc0";
    let place = |start| Name::new(message, start).place();
    assert_eq!([place(0), place(3), place(5), place(7), place(9), place(99)], [0, 0, 5, 0, 9, 99]);
}

#[test]
fn only_names_without_pointers_are_uncompressed() {
    let message = b"\x01a\x00\x01b\xc0\x00\x01c";
    let uncompressed = |start| Name::new(message, start).uncompressed();
    assert_eq!(uncompressed(0), Some(&b"\x01a\x00"[..]));
    assert_eq!([uncompressed(3), uncompressed(7), uncompressed(99)], [None; 3]);
}

#[test]
fn names_of_every_length_and_place_are_written_right() {
    for padding in [0, 80] {
        for len in 1..=63 {
            let mut message = vec![len];
            message.extend((0..len).map(|index| b'a' + index % 26));
            message.extend_from_slice(b"\x02B-\x23___________________________________\x00\xc0\x00");
            let rest = format!(".B-.{}", "_".repeat(35));
            let label = String::from_utf8(message[1..=usize::from(len)].to_vec()).unwrap();
            let (first, second) = (1 + usize::from(len), message.len() - 2);
            message.resize(message.len() + padding, 0);
            assert_eq!(text(&message, 0), format!("{label}{rest}"));
            assert_eq!(text(&message, second), format!("{label}{rest}"));
            assert_eq!(text(&message, first), &rest[1..]);
            message[1] = b'.';
            assert_eq!(text(&message, 0), format!("\\.{}{rest}", &label[1..]));
        }
    }
}

#[test]
fn every_byte_is_escaped_as_it_should_be_wherever_it_is() {
    for byte in 0..=u8::MAX {
        let escaped = match byte {
            b'.' | b'\\' => format!("\\{}", char::from(byte)),
            b'!'..=b'~' => char::from(byte).to_string(),
            _ => format!("\\{byte:03}"),
        };
        for at in 1..=20 {
            let mut message = b"\x14aaaaaaaaaaaaaaaaaaaa\x01b\x00".to_vec();
            message[at] = byte;
            let expected = format!("{}{escaped}{}.b", "a".repeat(at - 1), "a".repeat(20 - at));
            assert_eq!(text(&message, 0), expected);
            message.resize(90, 0);
            assert_eq!(text(&message, 0), expected);
        }
    }
}

#[test]
fn circles_of_one_and_two_hops_end() {
    assert_eq!(Name::new(b"\xc0\x00", 0).check(), Err(NameError::PointerLoop { offset: 0 }));
    assert!(matches!(
        Name::new(b"\x01a\xc0\x04\x01b\xc0\x00", 0).check(),
        Err(NameError::PointerLoop { .. } | NameError::TooLong { .. })
    ));
}

#[test]
fn broken_names_say_where() {
    assert_eq!(Name::new(b"\x03ab", 0).check(), Err(NameError::Truncated { offset: 3 }));
    assert_eq!(Name::new(b"\x01a", 0).check(), Err(NameError::Truncated { offset: 2 }));
    assert_eq!(Name::new(b"\x01a\xc0", 0).check(), Err(NameError::Truncated { offset: 3 }));
    assert_eq!(Name::new(b"\x01a\xc0\xff", 0).check(), Err(NameError::Truncated { offset: 255 }));
    assert_eq!(Name::new(b"\x01a\x41\x00", 0).check(), Err(NameError::LabelType { offset: 2 }));
    assert_eq!(Name::new(b"", 0).end(), Err(NameError::Truncated { offset: 0 }));
}

#[test]
fn names_of_255_bytes_are_the_longest() {
    let mut wire = Vec::new();
    for _ in 0..127 {
        wire.extend_from_slice(b"\x01x");
    }
    wire.push(0);
    assert_eq!(wire.len(), MAX_NAME_LEN);
    assert!(Name::new(&wire, 0).check().is_ok());
    let mut buffer = [0; MAX_NAME_LEN];
    assert_eq!(Name::new(&wire, 0).canonical(&mut buffer).unwrap(), &wire[..]);
    wire.insert(0, b'y');
    wire.insert(0, 1);
    assert_eq!(Name::new(&wire, 0).check(), Err(NameError::TooLong { offset: 254 }));
}

#[test]
fn a_failed_name_leaves_nothing_behind() {
    let mut out = b"before".to_vec();
    assert!(Name::new(b"\x01a\x03b", 0).write(&mut out).is_err());
    assert_eq!(out, b"before");
}

#[test]
fn canonical_form_is_lower_case_and_uncompressed() {
    let message = b"\x01A\x00\x01b\xc0\x00";
    assert_eq!(Name::new(message, 3).canonical(&mut [0; MAX_NAME_LEN]).unwrap(), b"\x01b\x01a\x00");
}
