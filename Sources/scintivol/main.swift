print("scintivol")
